"""What tests share: the real encoder, a tiny one, a real node, SciFact where it is present."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from densehook.bundle import Bundle, read_bundle
from densehook.encode import Encoder, load
from versions import DISTRIBUTION, VERSIONS

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from densehook import node

ROOT = Path(__file__).parent.parent

# nodes of tests live for a minute: the compiler for long lives costs them more than it gives
os.environ.setdefault("ES_JAVA_OPTS", "-XX:TieredStopAtLevel=1")

# a promise is not broken by a slow machine, and the same commit gives the same result twice;
# HYPOTHESIS_PROFILE=explore looks where nobody has looked yet
settings.register_profile("densehook", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "densehook"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Files that share nodes are run by one of the processes."""
    from side_by_side import scheduler

    return scheduler(config, log)


@pytest.fixture(scope="session")
def scifact() -> Path:
    """The BEIR SciFact folder; $DENSEHOOK_SCIFACT, or shared/data/scifact beside the checkout."""
    default = ROOT.parent / "shared" / "data" / "scifact"
    folder = Path(os.environ.get("DENSEHOOK_SCIFACT", default))
    if not (folder / "corpus.jsonl").is_file():
        pytest.skip(f"SciFact is absent: no corpus.jsonl in {folder}; set DENSEHOOK_SCIFACT")
    return folder


@pytest.fixture(scope="session")
def minilm_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """all-MiniLM-L6-v2, exported by the code under test, once for all processes of a run."""
    from densehook.export import export_bundle, read_recipe

    recipe = read_recipe(ROOT / "onnx_models" / "all-minilm-l6-v2.toml")

    def export(folder: Path) -> None:
        export_bundle(recipe, folder / recipe.name)

    return read_bundle(made_once(tmp_path_factory, "bundles", export) / recipe.name)


def made_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]
) -> Path:
    """A folder that one of the processes of a run makes for all of them."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / name).is_dir():
            making = shared / f"{name}.new"
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            make(making)
            making.rename(shared / name)
    return shared / name


@pytest.fixture(scope="session")
def minilm(minilm_bundle: Bundle) -> Encoder:
    return load(minilm_bundle.path)


@pytest.fixture(scope="session")
def make_tiny_bundle(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Bundle]:
    """Makes bundles of random models: make_tiny_bundle("bert", pooling="cls", ...).

    ``recipe`` are lines of the recipe's own.
    """
    import torch

    import tiny_models
    from densehook.export import export_bundle, read_recipe

    def make(
        architecture: str = "bert", seed: int = 0, *, recipe: str = "", **described: object
    ) -> Bundle:
        torch.manual_seed(seed)
        folder = tmp_path_factory.mktemp(f"tiny-{architecture}")
        tiny_models.ARCHITECTURES[architecture](folder / "model")
        tiny_models.describe(folder / "model", **described)  # type: ignore[arg-type]
        path = folder / f"tiny-{architecture}.toml"
        path.write_text(f'source = "model"\n{recipe}\n')
        return export_bundle(read_recipe(path), folder / "bundle")

    return make


@pytest.fixture(scope="session")
def shared_tiny_bundle(make_tiny_bundle: Callable[..., Bundle]) -> Callable[..., Bundle]:
    """As make_tiny_bundle, which then makes each but once: no test may change one of them."""
    made: dict[str, Bundle] = {}

    def get(architecture: str = "bert", **described: object) -> Bundle:
        described = {"pooling": "mean", "normalise": True, **described}
        key = json.dumps([architecture, described], sort_keys=True)
        if key not in made:
            made[key] = make_tiny_bundle(architecture, **described)
        return made[key]

    return get


@pytest.fixture(scope="session")
def make_late_bundle(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Bundle]:
    """Late-interaction bundles of random models, each made once: no test may change one of them."""
    import torch

    import tiny_models
    from densehook.export import export_bundle, read_recipe

    made: dict[str, Bundle] = {}

    def get(name: str) -> Bundle:
        if name not in made:
            torch.manual_seed(0)
            folder = tmp_path_factory.mktemp(f"tiny-{name}")
            tiny_models.LATE_INTERACTION[name](folder / "model")
            recipe = folder / f"tiny-{name}.toml"
            recipe.write_text('source = "model"\nkind = "multi"\n')
            made[name] = export_bundle(read_recipe(recipe), folder / "bundle")
        return made[name]

    return get


@pytest.fixture(scope="session")
def pair_bundle(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Bundle]:
    """Bundles of random models that score pairs, by architecture, each made once."""
    import torch

    import tiny_pairs
    from densehook.export import export_bundle, read_recipe

    made: dict[str, Bundle] = {}

    def get(architecture: str) -> Bundle:
        if architecture not in made:
            torch.manual_seed(0)
            folder = tmp_path_factory.mktemp(f"pairs-{architecture}")
            more = 'activation = "identity"' if architecture == "bert" else ""
            recipe = read_recipe(tiny_pairs.recipe(folder, architecture, more))
            made[architecture] = export_bundle(recipe, folder / "bundle")
        return made[architecture]

    return get


@pytest.fixture(scope="session")
def tiny_bundle(shared_tiny_bundle: Callable[..., Bundle]) -> Bundle:
    return shared_tiny_bundle()


@pytest.fixture(scope="session")
def other_tiny_bundle(make_tiny_bundle: Callable[..., Bundle]) -> Bundle:
    """Of the same shape, with other weights: its vectors must never be mixed with tiny_bundle's."""
    return make_tiny_bundle(seed=1)


@pytest.fixture(scope="session")
def sparse_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A tiny encoder of weights by token."""
    from tiny_sparse import make_sparse_bundle

    return make_sparse_bundle(tmp_path_factory.mktemp("tiny-sparse"))


@pytest.fixture(scope="session")
def idf_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Another, whose queries are weighed by a table."""
    from tiny_sparse import make_sparse_bundle

    return make_sparse_bundle(tmp_path_factory.mktemp("tiny-idf"), seed=1, idf=True)


@pytest.fixture(scope="session")
def m3_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A tiny encoder of vectors, weights by token and token vectors at once."""
    from tiny_m3 import make_m3_bundle

    return make_m3_bundle(tmp_path_factory.mktemp("tiny-m3"))


@pytest.fixture(scope="session")
def clip_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A tiny encoder of images and texts, as CLIP is one."""
    from tiny_image_text import make_image_text_bundle

    return make_image_text_bundle(tmp_path_factory.mktemp("tiny-clip"))


@pytest.fixture(scope="session")
def siglip_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Another, as SigLIP is one, which gives vectors of an image's patches too."""
    from tiny_image_text import make_image_text_bundle

    folder = tmp_path_factory.mktemp("tiny-siglip")
    return make_image_text_bundle(folder, "siglip", seed=1, also="multi")


@pytest.fixture(scope="session")
def patches_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A tiny CLIP with vectors of an image's patches."""
    from tiny_image_text import make_image_text_bundle

    return make_image_text_bundle(tmp_path_factory.mktemp("tiny-patches"), seed=2, also="multi")


@pytest.fixture(scope="session")
def tiny(tiny_bundle: Bundle) -> Encoder:
    return load(tiny_bundle.path)


@pytest.fixture(scope="session")
def guilty_bundle(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The tiny encoder with a token more than its model has rows: the word cannot be encoded."""
    import tokenizers

    from densehook.bundle import write_manifest

    path = shutil.copytree(tiny_bundle.path, tmp_path_factory.mktemp("guilty") / "bundle")
    tokenizer = tokenizers.Tokenizer.from_file(str(path / "tokenizer.json"))
    assert tokenizer.add_tokens(["guiltyword"]) == 1
    tokenizer.save(str(path / "tokenizer.json"))
    manifest = write_manifest(path, tiny_bundle.manifest, tiny_bundle.manifest.files)
    return Bundle(path, manifest)


@pytest.fixture
def damaged(tiny_bundle: Bundle, tmp_path: Path) -> Bundle:
    """A copy of the tiny bundle that a test may spoil."""
    return Bundle(shutil.copytree(tiny_bundle.path, tmp_path / "bundle"), tiny_bundle.manifest)


@pytest.fixture(scope="session")
def node_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Elasticsearch of these tests' own; its folder can be searched by the node's user."""
    from densehook import node

    home = Path(tempfile.mkdtemp(prefix="densehook-tests-"))
    home.chmod(0o755)
    patch = pytest.MonkeyPatch()
    patch.setenv("DENSEHOOK_HOME", str(home))
    for variable in ("DENSEHOOK_ES_URL", "DENSEHOOK_ES_API_KEY", "DENSEHOOK_ES_CA_CERTS"):
        patch.delenv(variable, raising=False)
    try:
        yield node.start().url
    finally:
        node.stop()
        patch.undo()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def client(node_url: str) -> Elasticsearch:
    from densehook.elastic.connect import connect

    return connect(node_url)


@pytest.fixture(scope="session", params=VERSIONS)
def plugin_node(request: pytest.FixtureRequest, minilm_bundle: Bundle) -> Iterator[node.NodeState]:
    """A real node with the plugin and all-MiniLM-L6-v2 in service, once for each version."""
    with own_node(request.param, minilm_bundle) as started:
        yield started


@contextmanager
def own_node(version: str, *bundles: Bundle, **settings: str) -> Iterator[node.NodeState]:
    """A node with the plugin in a folder of its own, gone afterwards."""
    from densehook import node
    from densehook.elastic.cluster import reload_encoders
    from densehook.elastic.connect import connect

    archive = node.built_plugin(version)
    assert archive is not None, f"there is no zip for {version}; build it with: make plugin"
    home = Path(tempfile.mkdtemp(prefix="densehook-plugin-tests-"))
    home.chmod(0o755)
    try:
        started = node.start(
            version,
            home,
            plugins=[archive],
            bundles=[bundle.path for bundle in bundles],
            settings={name.replace("__", "."): value for name, value in settings.items()},
        )
        reload_encoders(connect(started.url))  # returns when they are in service
        yield started
    finally:
        node.stop(home)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def serving(
    started: node.NodeState,
    *bundles: Bundle,
    named: Mapping[str, Bundle] | None = None,
    client: Elasticsearch | None = None,
) -> Iterator[Elasticsearch]:
    """A node that tests share, with these encoders in service besides, also by other names.

    Afterwards it has its own alone, and none of the indices that were made meanwhile. ``client`` is
    one that may do all that, where the node asks who it is.
    """
    from densehook.bundle import write_manifest
    from densehook.elastic.cluster import reload_encoders
    from densehook.elastic.connect import connect

    client = client or connect(started.url)
    served = {bundle.manifest.name: bundle for bundle in bundles} | dict(named or {})
    before = client.indices.get(index="*").keys()
    folders = {name: started.config / "densehook" / name for name in served}
    try:
        for name, folder in folders.items():
            manifest = served[name].manifest
            shutil.copytree(served[name].path, folder)
            if name != manifest.name:
                write_manifest(folder, replace(manifest, name=name), manifest.files)
            for path in (folder, *folder.rglob("*")):
                path.chmod(0o755)
        states = {each.name: each for each in reload_encoders(client)}
        refused = {name: states[name].reason for name in served if states[name].state != "ready"}
        assert not refused, refused
        yield client
    finally:
        for index in client.indices.get(index="*").keys() - before:
            client.indices.delete(index=index)
        for folder in folders.values():
            shutil.rmtree(folder, ignore_errors=True)
        reload_encoders(client)


@dataclass(frozen=True)
class CrowdedNode:
    """A node in which other plugins are beside ours: those of tests/java."""

    state: node.NodeState
    client: Elasticsearch
    bundle: Bundle
    encoder: Encoder
    refusal: str
    """What it said when it was started with all of them, and nobody had set anything."""


@pytest.fixture(scope="session", params=VERSIONS)
def crowded_node(request: pytest.FixtureRequest, tiny_bundle: Bundle) -> Iterator[CrowdedNode]:
    """A node with a tiny encoder, a script language, failure stores, and our plain names taken."""
    from densehook import node
    from densehook.elastic.cluster import reload_encoders
    from densehook.elastic.connect import connect
    from densehook.errors import NodeError
    from densehook.java import find_java
    from densehook.node.releases import release_of
    from java_plugins import made_plugin

    version = request.param
    archive = node.built_plugin(version)
    assert archive is not None, f"there is no zip for {version}; build it with: make plugin"
    home = Path(tempfile.mkdtemp(prefix="densehook-crowded-"))
    home.chmod(0o755)
    try:
        release = release_of(version)
        java = find_java(release.minimum_java, release.java_program)
        lib = release.install(home, java, lambda step: None) / "lib"
        features = {
            "org.elasticsearch.features.FeatureSpecification": "FailureStorePlugin$Features"
        }
        plugins = [
            archive,
            made_plugin("EditScriptPlugin", version, home, lib),
            made_plugin("FailureStorePlugin", version, home, lib, services=features),
            made_plugin("OtherNamesPlugin", version, home, lib),
        ]
        with pytest.raises(NodeError) as refused:
            node.start(version, home, plugins=plugins)
        started = node.start(
            version,
            home,
            settings={"densehook.search.plain_names": "false"},
            plugins=plugins,
            bundles=[tiny_bundle.path],
        )
        client = connect(started.url)
        reload_encoders(client)
        encoder = load(tiny_bundle.path)
        yield CrowdedNode(started, client, tiny_bundle, encoder, str(refused.value))
    finally:
        node.stop(home)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def two_nodes(minilm_bundle: Bundle) -> Iterator[tuple[Elasticsearch, Elasticsearch]]:
    """Clients of two nodes of one cluster: the first has the encoder, the second is the master."""
    from densehook import node
    from densehook.elastic.cluster import reload_encoders
    from densehook.elastic.connect import connect
    from densehook.node.process import free_ports

    version = DISTRIBUTION
    archive = node.built_plugin(version)
    assert archive is not None, f"there is no zip for {version}; build it with: make plugin"
    ports = free_ports(2)
    clients: list[Elasticsearch] = []
    with ExitStack() as stack:
        for port, name, roles, bundles in (
            (ports[0], "two", "master,data", []),
            (ports[1], "one", "data,ingest", [minilm_bundle.path]),
        ):
            home = Path(tempfile.mkdtemp(prefix=f"densehook-{name}-"))
            home.chmod(0o755)
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            stack.callback(node.stop, home)
            settings = {
                "discovery.type": "multi-node",
                "node.name": name,
                "node.roles": roles,
                "transport.port": str(port),
                "discovery.seed_hosts": f"127.0.0.1:{ports[0]}",
            }
            if not clients:
                settings["cluster.initial_master_nodes"] = name
            started = node.start(
                version, home, heap="512m", settings=settings, plugins=[archive], bundles=bundles
            )
            clients.append(connect(started.url))
        two, one = clients
        one.cluster.health(wait_for_nodes="2", timeout="60s")
        reload_encoders(one)
        yield one, two


@pytest.fixture(scope="session")
def plugin_client(plugin_node: node.NodeState) -> Elasticsearch:
    from densehook.elastic.connect import connect

    return connect(plugin_node.url)


@pytest.fixture
def plugin_index(plugin_client: Elasticsearch, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of an index in the node with the plugin; gone after the test, with its pipeline."""
    name = _index_name(request)
    yield name
    plugin_client.indices.delete(index=name, ignore_unavailable=True)
    plugin_client.options(ignore_status=404).ingest.delete_pipeline(id=f"densehook-{name}")


def _index_name(request: pytest.FixtureRequest) -> str:
    return "test-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:180].strip("-")


@pytest.fixture
def index(client: Elasticsearch, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of an index that is gone after the test."""
    name = _index_name(request)
    yield name
    client.indices.delete(index=name, ignore_unavailable=True)
