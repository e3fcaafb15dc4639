"""elasticsearch-dsl, which is ``elasticsearch.dsl`` now: the plugin's queries and its retriever.

    from densehook.integrations.dsl import Dense, Hybrid

    Search(using=es, index="passages").query(Dense(field="embedding", text="young felines"))
    Search(using=es, index="passages").extra(retriever=Hybrid(query="young felines"))

A ``Search`` has no place of its own for a retriever: ``extra`` puts it into the body. What is said
by ``query`` beside it Elasticsearch refuses; a filter goes into the retriever.
"""

from __future__ import annotations

from typing import Any, ClassVar

from elasticsearch.dsl.query import Query
from elasticsearch.dsl.utils import recursive_to_dict


class Dense(Query):
    """A text searched in a vector field, by the encoder that the index's mapping names.

    It stands wherever a query does, and ``Q("dense", field=..., text=...)`` makes it too.

        Dense(field="embedding", text="young felines", k=10, filter=Q("term", lang="en"))
    """

    name = "dense"
    _param_defs: ClassVar[dict[str, dict[str, str | bool]]] = {
        "filter": {"type": "query", "multi": True}
    }

    def __init__(self, *, field: str, text: str, **options: Any) -> None:
        """``options`` are those of docs/elasticsearch.md: k, num_candidates, filter, boost …."""
        super().__init__(field=str(field), text=text, **options)


class Sparse(Query):
    """A text searched in a field of token weights, by the encoder that the mapping names.

    Sparse(field="splade", text="young felines", filter=Q("term", lang="en"))
    """

    name = "sparse"
    _param_defs: ClassVar[dict[str, dict[str, str | bool]]] = {
        "filter": {"type": "query", "multi": True}
    }

    def __init__(self, *, field: str, text: str, **options: Any) -> None:
        """``options`` are filter, boost and what else every query has."""
        super().__init__(field=str(field), text=text, **options)


class Hybrid:
    """The retriever that fuses several searches, by reciprocal rank or by scores.

    Short with ``query``, which is searched in every field that the mapping states, or in
    ``fields``; long with ``retrievers``, as in docs/elasticsearch.md. Queries may stand anywhere
    within it.

        Hybrid(query="young felines", fusion="linear", filter=Q("term", lang="en"))
    """

    def __init__(self, **options: Any) -> None:
        """``options`` are those of docs/elasticsearch.md: query, fields, fusion, filter …."""
        self.options = options

    def to_dict(self) -> dict[str, Any]:
        """The retriever as the body of a search has it."""
        return {"hybrid": recursive_to_dict(self.options)}
