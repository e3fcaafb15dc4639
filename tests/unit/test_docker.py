"""docker/ fits what is built: the versions, the paths, and what reaches the build at all."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

import pytest
import yaml

from densehook import __version__
from densehook.export import read_recipe
from densehook.node import RELEASES

ROOT = Path(__file__).parent.parent.parent
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
ARGUMENTS = dict(re.findall(r"^ARG (\w+)=(\S+)$", DOCKERFILE, re.MULTILINE))
ZIP = ARGUMENTS["PLUGIN"]
BUNDLE = ARGUMENTS["BUNDLE"].replace("${ENCODER}", ARGUMENTS["ENCODER"])


def test_one_known_version_is_named_everywhere() -> None:
    (base,) = re.findall(r"^FROM elasticsearch:(\S+)$", DOCKERFILE, re.MULTILINE)
    assert base in RELEASES
    images = [service["image"] for service in COMPOSE["services"].values()]
    assert images == [f"densehook-elasticsearch:{base}", f"kibana:{base}"]
    readme = (ROOT / "docker" / "README.md").read_text()
    named = re.findall(r"(?<![\d.])\d+\.\d+\.\d+(?!\.\d)", DOCKERFILE + readme)
    assert set(named) == {base, __version__}


def test_the_zip_is_the_one_make_plugin_builds() -> None:
    pom = (ROOT / "plugin" / "elasticsearch" / "pom.xml").read_text()
    profiles = re.findall(r"<elasticsearch.version>(.*?)<.*?<folder>(.*?)<", pom, re.DOTALL)
    folders = dict(profiles)  # below target/, by version
    (version,) = [version for version in folders if version in ZIP]
    name = f"densehook-{__version__}-es{version}.zip"
    assert f"plugin/elasticsearch/target/{folders[version]}/{name}" == ZIP
    assert f"elasticsearch:{version}" in DOCKERFILE


def test_the_bundle_is_the_one_that_its_recipe_makes() -> None:
    recipe = read_recipe(ROOT / f"{BUNDLE}.toml")
    assert recipe.name == ARGUMENTS["ENCODER"]
    assert COMPOSE["services"]["elasticsearch"]["build"]["args"] == {
        "ENCODER": f"${{ENCODER:-{recipe.name}}}"
    }


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        (ZIP, True),
        (f"{BUNDLE}/model.onnx", True),
        (f"{BUNDLE}/encoder.json", True),
        (f"{BUNDLE}.toml", False),
        (".venv/bin/python", False),
        (".git/config", False),
        ("plugin/elasticsearch/target/es9/plugin/native/linux-x86_64/libtokenizers.so", False),
    ],
)
def test_the_build_gets_what_it_copies_and_no_more(path: str, sent: bool) -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    everything, *allowed = [line for line in lines if not line.startswith("#")]
    assert everything == "*"
    assert any(matches(path, pattern.removeprefix("!")) for pattern in allowed) == sent


def matches(path: str, pattern: str) -> bool:
    """Whether a pattern of .dockerignore names the path; * stops at a slash."""
    parts, patterns = path.split("/"), pattern.split("/")
    return len(parts) >= len(patterns) and all(map(fnmatch.fnmatch, parts, patterns))


def test_ports_are_open_on_the_loopback_address_only() -> None:
    services = COMPOSE["services"]
    assert services["elasticsearch"]["environment"]["xpack.security.enabled"] == "false"
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
