"""When things are: clocks, triggers and the scheduler."""
