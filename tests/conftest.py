"""What every test runs under."""

from __future__ import annotations

from hypothesis import settings

# The first example pays for heavy imports, and machines differ: how long an example takes proves nothing.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
