"""Strategies put together: those of the house, those of somebody's own, and what a new one must keep."""
