"""Other people's tools with our encoders and our searches: a module each, as thin as they allow.

Each imports its tool when it is imported itself, and nothing else here does; without the tool that
is a MissingTool. What a tool does not need is not here: whatever writes documents to Elasticsearch
needs nothing where the index's setting makes the vectors.
"""
