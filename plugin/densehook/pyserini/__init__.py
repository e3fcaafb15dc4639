"""Pyserini with our encoders: its classes, and its command lines.

from densehook.pyserini import DensehookQueryEncoder, ElasticsearchSearcher

python -m densehook.pyserini encode input … output … encoder --encoder all-minilm-l6-v2
"""

from ..integrations.pyserini import (
    DensehookDocumentEncoder,
    DensehookQueryEncoder,
    ElasticsearchResult,
    ElasticsearchSearcher,
)

__all__ = [
    "DensehookDocumentEncoder",
    "DensehookQueryEncoder",
    "ElasticsearchResult",
    "ElasticsearchSearcher",
]
