"""Pure rules on numbers: how much, and whether at all."""
