"""What people are told of a backtest."""
