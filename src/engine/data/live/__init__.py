"""A real market as it happens, asked of a venue: held so that the paper venue can be traded along it."""
