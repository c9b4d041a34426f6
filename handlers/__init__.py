"""What people see and press. No trading logic."""
