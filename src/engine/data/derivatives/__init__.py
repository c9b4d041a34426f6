"""Who tells what the futures of a market are like: a venue, the demo's made-up markets, or nobody."""
