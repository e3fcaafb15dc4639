"""One truth in both languages: the node reads and encodes texts as the Python package does."""

from __future__ import annotations

import numpy as np
import pytest
from elasticsearch import Elasticsearch

import node_texts
from densehook.bundle import Role
from densehook.encode import Encoder

_HEADERS = {"accept": "application/json", "content-type": "application/json"}


@pytest.mark.parametrize("role", ["query", "document"])
def test_500_texts_have_the_same_ids_cuts_and_vectors(
    plugin_client: Elasticsearch, minilm: Encoder, role: Role
) -> None:
    texts = node_texts.texts()
    body = {"texts": texts, "role": role}
    answer = plugin_client.perform_request(
        "POST", "/_densehook/_encode", headers=_HEADERS, body=body
    ).body
    tokens = minilm.tokenize(texts, role)
    vectors = minilm.encode_tokens(tokens)
    assert answer["fingerprint"] == minilm.fingerprint
    assert len(answer["texts"]) == len(texts) == 500
    for text, (ids, lost), vector, got in zip(texts, tokens, vectors, answer["texts"], strict=True):
        assert got["ids"] == list(ids), text[:40]
        assert got["lost_tokens"] == lost, text[:40]
        np.testing.assert_allclose(got["vector"], vector, atol=1e-5, err_msg=repr(text[:40]))
    assert sum(lost > 0 for _, lost in tokens) > 40
