"""A real venue through ccxt: what it is asked over the network, and how its answers are read."""
