"""From a closed candle, or from a press, to what is ordered: the cycle of stages and what people are asked."""
