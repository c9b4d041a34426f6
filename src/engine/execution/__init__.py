"""From a plan to a filled and protected position."""
