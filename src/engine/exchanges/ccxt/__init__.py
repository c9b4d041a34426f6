"""A real venue through ccxt: public market data, held so that the paper venue can be traded along it."""
