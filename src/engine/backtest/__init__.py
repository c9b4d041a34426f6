"""The live cycle over history."""
