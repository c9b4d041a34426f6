"""Pure models of a market and of how orders fill in it."""
