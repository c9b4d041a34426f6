"""Pure numbers: from candles to readings."""
