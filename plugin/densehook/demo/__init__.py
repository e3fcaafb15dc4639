"""The packaged collection, and the whole road walked on it.

Python's own help topics as passages with hand-judged questions: nothing to download, and a number.
"""
