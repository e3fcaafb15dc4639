"""What late interaction takes and keeps: latency, distance to PyTorch, bits against quality."""
