"""From a closed candle to a filled order."""
