"""What benchmarks run on: the real encoder, a node of their own, indices that are gone after."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from densehook import node
from densehook.bundle import Bundle
from densehook.elastic.cluster import reload_encoders
from densehook.elastic.connect import connect
from densehook.errors import BundleError
from densehook.export import export_bundle, read_recipe
from densehook.tune import plain_bundle

MODELS = Path(__file__).parent.parent / "onnx_models"


def minilm() -> Bundle:
    """all-MiniLM-L6-v2 in fp32, tuned or not; exported unless it is there already."""
    recipe = read_recipe(MODELS / "all-minilm-l6-v2.toml")
    try:
        return plain_bundle(MODELS / recipe.name)
    except BundleError:
        return export_bundle(recipe, MODELS / recipe.name)


@contextmanager
def own_node(
    version: str = node.ELASTICSEARCH_VERSION,
    *,
    with_plugin: bool = False,
    bundle: Bundle | None = None,
    beside: Sequence[Bundle] = (),
) -> Iterator[str]:
    """A fresh Elasticsearch, stopped and removed afterwards; gives its url.

    With the plugin it has a bundle in service, all-MiniLM-L6-v2 unless another is given, and those
    that are given ``beside`` it.
    """
    home = Path(tempfile.mkdtemp(prefix="densehook-benchmark-"))
    home.chmod(0o755)  # Elasticsearch runs as another user where this runs as root
    os.environ["DENSEHOOK_HOME"] = str(home)
    try:
        if with_plugin:
            archive = node.built_plugin(version)
            if archive is None:
                raise SystemExit("the plugin is not built; build it with: make plugin")
            bundles = [each.path for each in (bundle or minilm(), *beside)]
            started = node.start(version, plugins=[archive], bundles=bundles)
            reload_encoders(connect(started.url))
        else:
            started = node.start(version)
        yield started.url
    finally:
        node.stop()
        shutil.rmtree(home, ignore_errors=True)
