"""Elasticsearch at work: connecting, creating, feeding, searching, and a local node.

The only door to the Elasticsearch client; what requests look like is decided in hooks.
"""
