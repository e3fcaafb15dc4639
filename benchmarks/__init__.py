"""Claims of speed and quality, each measured by `python -m benchmarks.NAME [--json]`.

A benchmark prints a table; with --json the last thing it prints is a list of
{"name", "value", "bar", "holds"}. Speeds are ratios taken in one run, since machines differ.
"""
