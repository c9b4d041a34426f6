"""What people may see: reads only, each from one snapshot."""
