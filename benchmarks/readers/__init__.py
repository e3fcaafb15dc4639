"""Runs that are written here, read by other programs: each has to say the same of them."""
