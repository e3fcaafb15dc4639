"""The whole road walked on the packaged collection: export, ingest, search, evaluate."""
