"""Places known again: images found by their vectors and ordered by those of their patches."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from elasticsearch import BadRequestError, Elasticsearch

from command_line import running_in, succeeded
from conftest import serving
from densehook import Index
from densehook.bundle import Bundle
from densehook.elastic.checkpoints import CHECKPOINTS
from densehook.elastic.remote import remote_encoder
from densehook.encode import Encoder, cosines, load
from densehook.errors import BundleError, EncodeError, EncoderMismatch, RequestError
from densehook.export.images import file_of, pattern
from densehook.hooks import FIELDS
from densehook.migration import Wanted, finish, migrate
from densehook.multivector import header_of, maxsim, pooled, unpack
from e2e.test_elasticsearch_docs import EXAMPLE, differences, parse, run

if TYPE_CHECKING:
    from densehook.node import NodeState

PAGE = Path(__file__).parent.parent.parent / "docs" / "encoders.md"
DOCUMENTED = "clip-patches"
"""What the page calls its encoder."""
BOTH = ["image-text", "multi"]
FIRST = "embedding"
COUNT = 12


def encoded_file(image: Any) -> str:
    import io

    made = io.BytesIO()
    image.save(made, "PNG")
    return b64encode(made.getvalue()).decode()


def _shifted(number: int) -> str:
    """The same place from a step aside: cut at two sides."""
    image = pattern(number)
    width, height = image.size
    return encoded_file(image.crop((width // 8, height // 8, width, height)))


IMAGES = [b64encode(file_of(number)).decode() for number in range(COUNT)]
DOCUMENTS = [
    *({"_id": f"p{n}", "photo": image, "n": n} for n, image in enumerate(IMAGES)),
    *({"_id": f"s{n}", "photo": _shifted(n), "n": n} for n in range(4)),
]


@pytest.fixture(scope="module")
def served(
    plugin_node: NodeState, patches_bundle: Bundle, siglip_bundle: Bundle
) -> Iterator[dict[str, Encoder]]:
    """Encoders of images and their patches, in service on the node."""
    named = {DOCUMENTED: patches_bundle}
    with serving(plugin_node, patches_bundle, siglip_bundle, named=named):
        yield {"clip": load(patches_bundle.path), "siglip": load(siglip_bundle.path)}


@pytest.fixture
def clip(served: dict[str, Encoder]) -> Encoder:
    return served["clip"]


@pytest.fixture
def made(plugin_client: Elasticsearch, plugin_index: str, clip: Encoder) -> Callable[..., Index]:
    """An index of both fields, opened at that of patches."""

    def make(index_type: str = "float32", *, in_cluster: bool = True, filled: bool = True) -> Index:
        own: dict[str, Any] = {"in_cluster": in_cluster, "inputs": ["photo"], "modality": "image"}
        Index.create(plugin_client, plugin_index, clip, field=FIRST, **own)
        local = clip.of_kind("multi")
        add = {**own, "field": "patches", "index_type": index_type}
        Index.add_field(plugin_client, plugin_index, local, **add)
        here = None if in_cluster else clip
        opened = Index.open(plugin_client, plugin_index, here, field=FIRST)
        if filled:
            report = opened.ingest(DOCUMENTS)
            assert (report.indexed, report.failed) == (len(DOCUMENTS), 0)
        return Index.open(plugin_client, plugin_index, here, field="patches")

    return make


def stored(client: Elasticsearch, index: str) -> dict[str, Any]:
    """What documents have, by id: source, and their own vectors wherever the version has them."""
    client.indices.refresh(index=index)
    shown = ["patches", "photo", "densehook"]
    found = client.search(index=index, size=100, source=shown, fields=[FIRST])["hits"]["hits"]
    return {
        hit["_id"]: {**hit["_source"], FIRST: np.array(hit.get("fields", {}).get(FIRST))}
        for hit in found
    }


def decoded(client: Elasticsearch, index: str) -> dict[str, Any]:
    """The vectors of patches that documents have, as their bytes say them."""
    found = stored(client, index)
    return {id_: unpack(b64decode(each["patches"])) for id_, each in found.items()}


def ranked(client: Elasticsearch, index: str, **body: Any) -> list[tuple[str, float]]:
    asked = {"index": index, "source": False, "size": 100, **body}
    return [(hit["_id"], hit["_score"]) for hit in client.search(**asked)["hits"]["hits"]]


def assert_scored(found: list[tuple[str, float]], expected: dict[str, float]) -> None:
    assert {id_ for id_, _ in found} == expected.keys()
    for id_, score in found:
        assert score == pytest.approx(expected[id_], abs=1e-3, rel=1e-4), id_
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


def counted(client: Elasticsearch, encoder: Encoder, lane: str) -> int:
    headers = {"accept": "application/json"}
    answer = client.perform_request("GET", "/_densehook", headers=headers).body
    (node,) = answer["nodes"].values()
    return int(node["encoders"][encoder.manifest.name][lane]["texts"])


@pytest.mark.parametrize("which", ["clip", "siglip"])
def test_the_node_gives_pythons_vectors_of_patches(
    plugin_client: Elasticsearch, served: dict[str, Encoder], which: str
) -> None:
    here = served[which]
    remote = remote_encoder(plugin_client, here.manifest.name)
    images = [b64encode(file_of(number)).decode() for number in range(50)]
    whole, local = here.encode_each_image_of_kinds(images, BOTH)
    assert cosines(remote.encode_images(images), whole.vectors).min() >= 0.9999
    found = remote.of_kind("multi").encode_images(images)
    for one, other in zip(found, local.vectors, strict=True):
        assert one.shape == other.shape
        assert cosines(one, other).min() >= 0.9999
        np.testing.assert_allclose(one, other, atol=2e-2)
    with pytest.raises(BundleError, match="for images alone, not for texts"):
        remote.of_kind("multi").encode_queries("a cat")


def test_encode_shows_both_of_an_image_and_one_of_a_text(
    plugin_client: Elasticsearch, clip: Encoder
) -> None:
    for role in ("query", "document"):
        answer = plugin_client.perform_request(
            "POST",
            "/_densehook/_encode",
            headers={"accept": "application/json", "content-type": "application/json"},
            body={
                "encoder": clip.manifest.name,
                "role": role,
                "texts": ["a cat"],
                "images": IMAGES[:2],
            },
        ).body
        assert answer["texts"][0].keys() == {"ids", "lost_tokens", "vector"}
        text = clip.encode_queries("a cat")
        np.testing.assert_allclose(answer["texts"][0]["vector"], text, atol=1e-5)
        for image in answer["images"]:
            assert image.keys() == {"vector", "token_vectors"}
            assert np.array(image["token_vectors"]).shape == (16, clip.dims)


def test_a_cluster_says_what_the_encoder_gives(plugin_client: Elasticsearch, clip: Encoder) -> None:
    headers = {"accept": "application/json"}
    answer = plugin_client.perform_request("GET", "/_densehook", headers=headers).body
    (node,) = answer["nodes"].values()
    shown = node["encoders"][clip.manifest.name]
    assert (shown["kind"], shown["also"]) == ("image-text", {"multi": {"dims": clip.dims}})


def assert_current(client: Elasticsearch, index: str, encoder: Encoder) -> None:
    """Every document has what the encoder gives for its image, in both fields."""
    found = stored(client, index)
    whole, local = encoder.encode_each_image_of_kinds(
        [each["photo"] for each in found.values()], BOTH
    )
    for n, (id_, source) in enumerate(found.items()):
        assert cosines(source[FIRST][None], whole.vectors[n][None]).min() >= 0.9999, id_
        tokens = unpack(b64decode(source["patches"]))
        assert cosines(tokens, local.vectors[n]).min() >= 0.9999, id_
        notes = source["densehook"]
        assert notes.keys() == {FIRST, "patches"}
        assert len({json.dumps(note, sort_keys=True) for note in notes.values()}) == 1


def test_an_image_is_run_once_for_both_fields(
    plugin_client: Elasticsearch, made: Callable[..., Index], clip: Encoder
) -> None:
    before = counted(plugin_client, clip, "ingest")
    index = made()
    assert counted(plugin_client, clip, "ingest") - before == len(DOCUMENTS)
    assert_current(plugin_client, index.name, clip)
    one = {"photo": IMAGES[5]}
    plugin_client.update(index=index.name, id="p1", doc=one)
    plugin_client.bulk(index=index.name, operations=[{"update": {"_id": "p2"}}, {"doc": one}])
    assert counted(plugin_client, clip, "ingest") - before == len(DOCUMENTS) + 2
    plugin_client.update(index=index.name, id="p1", doc={"n": 7})
    again = {"photo": IMAGES[5], "n": 8}
    plugin_client.index(index=index.name, id="p1", document=again)
    assert counted(plugin_client, clip, "ingest") - before == len(DOCUMENTS) + 2
    assert_current(plugin_client, index.name, clip)


def test_the_processor_fills_both_fields_by_one_run(
    plugin_client: Elasticsearch, made: Callable[..., Index], clip: Encoder
) -> None:
    index = made(in_cluster=False, filled=False)
    processor = {
        "encoder": clip.manifest.name,
        "input": "photo",
        "modality": "image",
        "output": "patches",
    }
    pipeline = f"densehook-{index.name}"
    plugin_client.ingest.put_pipeline(id=pipeline, processors=[{"densehook": processor}])
    before = counted(plugin_client, clip, "ingest")
    asked: dict[str, Any] = {"index": index.name, "pipeline": pipeline}
    plugin_client.index(**asked, id="1", document={"photo": IMAGES[1]})
    assert counted(plugin_client, clip, "ingest") - before == 1
    assert_current(plugin_client, index.name, clip)
    with pytest.raises(BadRequestError, match="neither JPEG nor PNG"):
        plugin_client.index(**asked, id="2", document={"photo": "aGVsbG8="})
    texts = {**processor, "modality": "text"}
    plugin_client.ingest.put_pipeline(id=pipeline, processors=[{"densehook": texts}])
    with pytest.raises(BadRequestError, match=r"\[modality\]"):
        plugin_client.index(**asked, id="3", document={"photo": IMAGES[1]})


def test_an_image_that_is_none_fails_alone(
    plugin_client: Elasticsearch, made: Callable[..., Index], clip: Encoder
) -> None:
    for in_cluster in (True, False):
        index = made(in_cluster=in_cluster, filled=False)
        failures: list[Any] = []
        rows = [*DOCUMENTS[:2], {"_id": "bad", "photo": "no image"}]
        opened = Index.open(
            plugin_client, index.name, None if in_cluster else clip, field="patches"
        )
        report = opened.ingest(rows, on_failure=failures.append)
        assert (report.indexed, report.failed) == (2, 1)
        assert failures[0].id == "bad" and "no image in base64" in failures[0].reason
        assert_current(plugin_client, index.name, clip)
        plugin_client.indices.delete(index=index.name)


def test_python_feeds_what_the_cluster_would(
    plugin_client: Elasticsearch, made: Callable[..., Index], clip: Encoder
) -> None:
    index = made("int8-pool2", in_cluster=False)
    values = stored(plugin_client, index.name)
    rows = clip.of_kind("multi").encode_images([each["photo"] for each in DOCUMENTS])
    for document, own in zip(DOCUMENTS, rows, strict=True):
        value = b64decode(values[str(document["_id"])]["patches"])
        assert (header_of(value).tokens, header_of(value).precision) == (8, "int8")
        np.testing.assert_allclose(unpack(value), pooled(own, 2), atol=1e-2)
    report = Index.open(plugin_client, index.name, clip, field=FIRST).ingest(
        DOCUMENTS, replace=True
    )
    assert (report.indexed, report.encoded.texts) == (len(DOCUMENTS), 0)
    assert stored(plugin_client, index.name)["p3"]["patches"] == values["p3"]["patches"]


@pytest.mark.parametrize("in_cluster", [True, False], ids=["cluster", "here"])
def test_an_index_of_images_gets_patches_while_it_serves(
    plugin_client: Elasticsearch, plugin_index: str, clip: Encoder, in_cluster: bool
) -> None:
    own: dict[str, Any] = {"in_cluster": in_cluster, "inputs": ["photo"], "modality": "image"}
    Index.create(plugin_client, plugin_index, clip, **own).ingest(DOCUMENTS[:3])
    local = clip.of_kind("multi")
    added = Index.add_field(plugin_client, plugin_index, local, field="patches", **own)
    report = added.embed()
    assert (report.written, report.failed) == (3, 0)
    assert_current(plugin_client, plugin_index, clip)
    again = Index.add_field(plugin_client, plugin_index, local, field="patches", modality="image")
    assert again.embed().written == 0


@pytest.mark.parametrize("index_type", ["float32", "int8", "1bit", "int8-pool2"])
def test_scores_are_the_exact_maxsim_of_what_is_stored(
    plugin_client: Elasticsearch, made: Callable[..., Index], clip: Encoder, index_type: str
) -> None:
    index = made(index_type)
    (query,) = clip.of_kind("multi").encode_images([IMAGES[7]])
    expected = {id_: maxsim(query, own) for id_, own in decoded(plugin_client, index.name).items()}
    for image in (IMAGES[7], f"data:image/png;base64,{IMAGES[7]}"):
        asked = {"maxsim": {"field": "patches", "image": image}}
        found = ranked(plugin_client, index.name, query=asked)
        assert_scored(found, expected)
    if index_type == "float32":  # of unit vectors nothing is likelier than they are
        assert found[0][0] == "p7"
        assert found[0][1] == pytest.approx(16, abs=1e-3)


def by_maxsim(image: str, window: int, **more: Any) -> dict[str, Any]:
    child = {"standard": {"query": {"dense": {"field": FIRST, "image": image, **more}}}}
    return {
        "maxsim": {
            "retriever": child,
            "field": "patches",
            "image": image,
            "rank_window_size": window,
        }
    }


def test_what_vectors_find_is_ordered_by_patches(
    plugin_client: Elasticsearch, made: Callable[..., Index], clip: Encoder
) -> None:
    index = made()
    values = decoded(plugin_client, index.name)
    exact = {"k": 20, "num_candidates": 100}
    for image in (IMAGES[3], _shifted(3)):
        (query,) = clip.of_kind("multi").encode_images([image])
        scores = {id_: maxsim(query, own) for id_, own in values.items()}
        asked = {"dense": {"field": FIRST, "image": image, **exact}}
        near = [id_ for id_, _ in ranked(plugin_client, index.name, query=asked)]
        for window in (5, len(DOCUMENTS)):
            retriever = by_maxsim(image, window, **exact)
            found = ranked(plugin_client, index.name, retriever=retriever, size=window)
            assert_scored(found, {id_: scores[id_] for id_ in near[:window]})
    # the shifted copy itself is there: its patches are the query's, whatever a vector makes of it
    assert found[0][0] == "s3"
    assert found[0][1] == pytest.approx(16, abs=1e-3)


def test_a_search_encodes_its_image_once(
    plugin_client: Elasticsearch, made: Callable[..., Index], clip: Encoder
) -> None:
    index = made()
    before = counted(plugin_client, clip, "query")
    retriever = by_maxsim(encoded_file(pattern(40)), 5)
    ranked(plugin_client, index.name, retriever=retriever, size=5)
    assert counted(plugin_client, clip, "query") - before == 1


def test_index_search_is_one_here_and_in_the_cluster(
    plugin_client: Elasticsearch, made: Callable[..., Index], clip: Encoder, tmp_path: Path
) -> None:
    index = made().name
    there = Index.open(plugin_client, index, field="patches")
    whole = Index.open(plugin_client, index, clip, field="patches")
    local = Index.open(plugin_client, index, clip.of_kind("multi"), field="patches")
    wide: dict[str, Any] = {"mode": "maxsim", "window": 12, "num_candidates": 100}
    (tmp_path / "asked.png").write_bytes(b64decode(IMAGES[4]))
    expected = there.search(image=IMAGES[4], size=5, **wide)
    assert expected[0].id == "p4"
    for each in (whole, local):
        for image in (IMAGES[4], b64decode(IMAGES[4]), tmp_path / "asked.png"):
            hits = each.search(image=image, size=5, **wide)
            assert [hit.id for hit in hits] == [hit.id for hit in expected]
            for one, other in zip(hits, expected, strict=True):
                assert one.score == pytest.approx(other.score, abs=1e-2)
                assert "patches" not in one.source
        second = each.search(image=IMAGES[4], size=2, from_=1, **wide)
        assert [hit.id for hit in second] == [hit.id for hit in expected[1:3]]
    only = {"terms": {"n": [1, 2]}}
    for each in (there, whole):
        hits = each.search(image=IMAGES[4], filter=only, **wide)
        assert {hit.id for hit in hits} == {"p1", "p2", "s1", "s2"}
        assert [hit.id for hit in each.search(image=IMAGES[4], size=1, from_=3, **wide)] == [
            expected[3].id
        ]
        with pytest.raises(RequestError, match="by dense or maxsim alone"):
            each.search(image=IMAGES[4], highlight=True, **wide)
        with pytest.raises(RequestError, match="search it by maxsim, not by dense"):
            each.search(image=IMAGES[4])
    with pytest.raises(EncodeError, match="it is no image in base64"):
        whole.search(image="no image", **wide)


@pytest.mark.parametrize("in_cluster", [True, False], ids=["cluster", "here"])
def test_one_call_makes_both_fields_which_are_searched_together(
    plugin_client: Elasticsearch, plugin_index: str, clip: Encoder, in_cluster: bool
) -> None:
    kinds = {"image-text": "", "multi": "patches"}
    index = Index.create(
        plugin_client,
        plugin_index,
        clip,
        inputs=["photo"],
        modality="image",
        kinds=kinds,
        index_type="float32",
        in_cluster=in_cluster,
    )
    report = index.ingest(DOCUMENTS)
    assert (report.indexed, report.failed) == (len(DOCUMENTS), 0)
    plugin_client.indices.refresh(index=plugin_index)
    opened = Index.open(plugin_client, plugin_index, None if in_cluster else clip)
    nearest = opened.search(image=IMAGES[3], size=3)
    assert nearest[0].id == "p3"
    ordered = opened.search(image=IMAGES[3], mode="maxsim", size=20, window=20)
    (query,) = clip.of_kind("multi").encode_images([IMAGES[3]])
    values = decoded(plugin_client, plugin_index).items()
    expected = {id_: maxsim(query, vectors) for id_, vectors in values}
    assert {hit.id for hit in ordered} == expected.keys()
    for hit in ordered:
        assert hit.score == pytest.approx(expected[hit.id], abs=1e-2), hit.id


@pytest.mark.parametrize("in_cluster", [True, False], ids=["cluster", "here"])
def test_an_index_of_images_moves_to_another_encoder(
    plugin_client: Elasticsearch,
    plugin_index: str,
    served: dict[str, Encoder],
    in_cluster: bool,
) -> None:
    own: dict[str, Any] = {"inputs": ["photo"], "modality": "image", "field": FIRST}
    index = Index.create(plugin_client, f"{plugin_index}-1", served["siglip"], **own)
    index.ingest(DOCUMENTS[:4])
    plugin_client.indices.put_alias(index=index.name, name=plugin_index)
    new = served["clip"]
    try:
        migrate(plugin_client, plugin_index, Wanted(new, in_cluster=in_cluster), None)
        found = stored(plugin_client, plugin_index)
        vectors = np.array([found[each["_id"]][FIRST] for each in DOCUMENTS[:4]])
        assert cosines(vectors, new.encode_images(IMAGES[:4])).min() >= 0.9999
        assert finish(plugin_client, plugin_index) == index.name
    finally:
        left = plugin_client.indices.get(index=f"{plugin_index}-*").body
        plugin_client.indices.delete(index=[*left, CHECKPOINTS], ignore_unavailable=True)


def test_the_command_line_searches_by_patches(
    plugin_node: NodeState, made: Callable[..., Index], patches_bundle: Bundle, tmp_path: Path
) -> None:
    index = made().name
    run_ = running_in(tmp_path, DENSEHOOK_ES_URL=plugin_node.url)
    (tmp_path / "asked.png").write_bytes(b64decode(IMAGES[5]))
    asked = ["search", index, "--image", "asked.png", "--mode", "maxsim", "--json"]
    for encoder in ([], ["--encoder", patches_bundle.path]):
        shown = succeeded(run_(*asked, "--field", "patches", *encoder))
        assert json.loads(shown)["mode"] == "maxsim"
        assert json.loads(shown)["hits"][0]["id"] == "p5"
    refused = run_(*asked, "--field", FIRST)
    assert refused.returncode == 1 and "maxsim needs token vectors" in refused.stderr


def test_what_does_not_fit_is_refused_in_a_line(
    plugin_client: Elasticsearch,
    plugin_index: str,
    made: Callable[..., Index],
    clip: Encoder,
    minilm: Encoder,
) -> None:
    index = made(filled=False).name

    def refusal(where: str = index, **maxsim: Any) -> str:
        with pytest.raises(BadRequestError) as refused:
            plugin_client.search(index=where, query={"maxsim": maxsim})
        return str(refused.value)

    assert "gives vectors of the patches of images, and none of the tokens of texts" in refusal(
        field="patches", text="a cat"
    )
    for asked in ({}, {"text": "a", "image": IMAGES[0]}):
        assert "needs [text], [image] or [query_vectors]" in refusal(field="patches", **asked)
    assert "[image] of [maxsim] is blank" in refusal(field="patches", image=" ")
    assert "it is no image in base64" in refusal(field="patches", image="no image")
    assert "neither JPEG nor PNG" in refusal(field="patches", image="aGVsbG8=")
    with pytest.raises(BundleError, match="for images alone, not for texts"):
        Index.open(plugin_client, index, clip, field="patches").search("a cat", mode="maxsim")
    with pytest.raises(RequestError, match="names no field for BM25"):
        Index.open(plugin_client, index, field="patches").search("a cat", mode="maxsim")
    with pytest.raises(EncoderMismatch):
        Index.open(plugin_client, index, minilm, field="patches")

    # a field of texts, and one whose encoder gives no vectors of patches
    mapping = plugin_client.indices.get_mapping(index=index)[index]["mappings"]
    stated = mapping["_meta"]["densehook"]["fields"]

    def put(**entry: Any) -> None:
        meta = {"densehook": {"fields": {**stated, "patches": {**stated["patches"], **entry}}}}
        plugin_client.indices.put_mapping(index=index, meta=meta)

    with pytest.raises(BadRequestError, match=r"gives what is of kind \[multi\] for images alone"):
        put(modality="text", input="n")
    own = {"encoder": minilm.manifest.name, "fingerprint": minilm.fingerprint}
    with pytest.raises(BadRequestError, match=r"is of kind \[dense\], which writes"):
        put(**own)
    with pytest.raises(RequestError, match="of kind multi reads no texts; say what it reads"):
        Index.add_field(
            plugin_client, index, clip.of_kind("multi"), inputs=["photo"], field="other"
        )
    with pytest.raises(RequestError, match="of one field, not of photo, n, without"):
        Index.add_field(
            plugin_client,
            index,
            clip.of_kind("multi"),
            inputs=["photo", "n"],
            field="other",
            modality="image",
        )


def test_patches_without_a_field_that_finds_images_are_searched_by_none(
    plugin_client: Elasticsearch, plugin_index: str, clip: Encoder
) -> None:
    local = clip.of_kind("multi")
    index = Index.create(
        plugin_client, plugin_index, local, inputs=["photo"], field="patches", modality="image"
    )
    with pytest.raises(RequestError, match="no dense_vector field has vectors of the same images"):
        index.search(image=IMAGES[0], mode="maxsim")


def test_an_image_is_no_query_of_token_vectors_of_texts(
    plugin_node: NodeState,
    plugin_client: Elasticsearch,
    plugin_index: str,
    make_late_bundle: Callable[..., Bundle],
) -> None:
    bundle = make_late_bundle("colbert")
    with serving(plugin_node, bundle):
        tokens = load(bundle.path)
        index = Index.create(
            plugin_client, plugin_index, tokens, inputs=["text"], field="tokens", in_cluster=False
        )
        index.ingest([{"_id": "1", "text": "A cat."}])
        with pytest.raises(BadRequestError, match=r"is of kind \[multi\] and reads no images"):
            plugin_client.search(
                index=plugin_index, query={"maxsim": {"field": "tokens", "image": IMAGES[0]}}
            )
        with pytest.raises(RequestError, match="no dense_vector field has vectors of the same"):
            Index.open(plugin_client, plugin_index, field="tokens").search(
                image=IMAGES[0], mode="maxsim"
            )


def test_the_requests_of_the_page_answer_what_it_shows(
    plugin_node: NodeState, plugin_client: Elasticsearch, clip: Encoder
) -> None:
    page = PAGE.read_text().partition("\n### Patches of an image\n")[2].partition("\n## ")[0]
    page = page.replace("sha256:" + 64 * "0", clip.fingerprint)
    page = page.replace('"dims": 512', f'"dims": {clip.dims}')
    address = plugin_node.url.removeprefix("http://")
    try:
        found = EXAMPLE.findall(page)
        assert len(found) == 5
        for command, shown in found:
            status, answer = run(command, address)
            assert status in (200, 201), (command, answer)
            assert not list(differences(parse(shown) if shown else {}, answer)), answer
    finally:
        plugin_client.indices.delete(index="places", ignore_unavailable=True)
    assert FIELDS["multi"].TYPE in page
