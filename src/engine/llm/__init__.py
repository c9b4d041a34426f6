"""Language models: who runs them, what they may be asked, what it costs, and what of their answers is believed."""
