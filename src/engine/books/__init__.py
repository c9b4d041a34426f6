"""The account at each close and at each end of a day."""
