"""Frozen value objects, pure state machines and the error tree. No I/O, no clock, no randomness."""
