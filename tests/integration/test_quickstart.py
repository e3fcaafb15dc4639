"""The demo's index is used again when it is whole, and made anew when it is not."""

from __future__ import annotations

import pytest
from elasticsearch import Elasticsearch

from densehook.bundle import Bundle
from densehook.collections import help_topics
from densehook.demo import quickstart
from densehook.elastic.indices import count_in
from densehook.encode import Encoder, load


@pytest.fixture
def demo_index(client: Elasticsearch, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(quickstart, "INDEX", "test-quickstart")
    client.indices.delete(index="test-quickstart", ignore_unavailable=True)
    return "test-quickstart"


def test_a_whole_index_is_used_again_and_any_other_made_anew(
    client: Elasticsearch, demo_index: str, tiny: Encoder, other_tiny_bundle: Bundle
) -> None:
    def ready(encoder: Encoder) -> bool:
        """Whether the index had to be made."""
        made = (
            quickstart.ready_index(client, encoder, lambda done: None, in_cluster=False) is not None
        )
        assert count_in(client, demo_index) == len(list(help_topics().documents()))
        return made

    assert ready(tiny)
    assert not ready(tiny)
    client.delete(index=demo_index, id="with-01", refresh=True)
    assert ready(tiny)
    client.update(index=demo_index, id="with-01", doc={"text": "of another Python"}, refresh=True)
    assert ready(tiny)
    assert ready(load(other_tiny_bundle.path))
    client.indices.delete(index=demo_index)
