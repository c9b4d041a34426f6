"""The family of venues."""
