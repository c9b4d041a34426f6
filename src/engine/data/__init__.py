"""Where candles and prices come from: files, a market that is made up, a real one as it happens."""
