"""The adjuster that has learnt: what it sees, what it may do, how it is trained, and what it is worth."""
