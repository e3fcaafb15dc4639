"""One index taking another's place behind its aliases, and what holds while it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from elasticsearch import Elasticsearch

from ..errors import RequestError
from ..hooks import (
    PIPELINES,
    VectorField,
    has_field,
    is_named_by,
    makes_like,
    pipeline_name,
    pipelines_of,
    require_no_other_encoder,
)
from .connect import elastic_errors
from .indices import index_exists, the_index

_WRITE = "index.blocks.write"
_DATES = ("created_date", "created_date_millis", "modified_date", "modified_date_millis")
"""What newer versions of Elasticsearch say of an index template, and take from nobody."""


def index_behind(
    client: Elasticsearch, alias: str, *, itself: bool = False
) -> tuple[str, Mapping[str, Any]]:
    """The one index of an alias, with its mappings and settings.

    ``itself`` says that the name may be an index's own. Raises RequestError for a name that no
    other index can take, IndexNotFound.
    """
    name, entry = the_index(client, alias)
    if "data_stream" in entry:
        raise RequestError(
            f"{alias!r} belongs to the data stream {entry['data_stream']!r}, whose indices are its"
            f" own; name the stream: densehook migrate {entry['data_stream']}"
        )
    if name == alias and not itself:
        raise RequestError(
            f"{alias!r} is an index and no alias, so that none can take its place; give it one"
            " (POST _aliases) and let programs name that, or, with --remove-index, have the new"
            " index take its name in the moment in which it is removed, for good"
        )
    return name, entry


def free_name(client: Elasticsearch, wanted: str) -> str:
    """The name, or the first of those with a number behind it that no index has."""
    name, number = wanted, 1
    while index_exists(client, name):
        number += 1
        name = f"{wanted}-{number}"
    return name


def create_successor(client: Elasticsearch, name: str, body: Mapping[str, Any]) -> None:
    """Creates the new index. Raises RequestError where a template would put aliases over it."""
    with elastic_errors(client):
        made = client.indices.simulate_index_template(name=name)
        if aliases := made.body.get("template", {}).get("aliases"):
            raise RequestError(
                f"an index template gives {name!r} the aliases {', '.join(sorted(aliases))} when it"
                " is made, which would cover both indices then; take them out of the template"
            )
        # sent once: after an answer that was lost, a second request would find an index there
        client.options(max_retries=0).indices.create(index=name, **body)


def kept_pipelines(
    client: Elasticsearch, index: str, entry: Mapping[str, Any], field: str, encoder: str
) -> dict[str, str]:
    """What is to run over each document that is written to the new index, as it does in the old.

    Not densehook's own, which the new index's setting is for. Raises RequestError for one that
    makes another encoder's vectors.
    """
    kept = pipelines_of(entry["settings"])
    if kept.get("default_pipeline") == pipeline_name(index):
        del kept["default_pipeline"]
    for name in kept.values():
        with elastic_errors(client):
            found = client.options(ignore_status=404).ingest.get_pipeline(id=name).body
        require_no_other_encoder(index, name, found.get(name, {}), field, encoder)
    return kept


def set_pipelines(client: Elasticsearch, index: str, pipelines: Mapping[str, str]) -> None:
    """Has these run over what is written to an index, and no others."""
    settings = {f"index.{name}": pipelines.get(name) for name in PIPELINES}
    with elastic_errors(client):
        client.indices.put_settings(index=index, settings=settings)


def allow_writes(client: Elasticsearch, index: str) -> None:
    """Takes a block of writes away, where there is one."""
    with elastic_errors(client):
        client.indices.put_settings(index=index, settings={_WRITE: None})


@contextmanager
def no_writes(client: Elasticsearch, index: str) -> Iterator[None]:
    """Lets nothing be written to an index, and waits for what is on its way; after an error it may.

    Whoever writes meanwhile gets the status 403 and a cluster_block_exception.
    """
    try:
        with elastic_errors(client):
            client.indices.add_block(index=index, block="write")
        yield
    except BaseException:
        allow_writes(client, index)
        raise


def templates_of(
    client: Elasticsearch, index: str, field: VectorField | None
) -> dict[str, Mapping[str, Any]]:
    """The index templates that would make an index with this vector field again, by name."""
    if field is None:
        return {}
    templates = index_templates(client)
    return {name: each for name, each in templates.items() if makes_like(each, index, field)}


def other_templates_of(client: Elasticsearch, index: str, field: VectorField | None) -> list[str]:
    """What else would make an index with this vector field again: in words, with its name.

    Component templates, which others may use as well, and legacy ones. Raises ElasticError.
    """
    if field is None:
        return []
    with elastic_errors(client):
        components = client.cluster.get_component_template()["component_templates"]
        legacy = client.indices.get_template().body
    used = {
        name
        for each in index_templates(client).values()
        if is_named_by(each, index)
        for name in each.get("composed_of", ())
    }
    found = [
        f"component template {each['name']}"
        for each in components
        if each["name"] in used and has_field(each["component_template"], field)
    ]
    return found + [
        f"legacy template {name}"
        for name, each in legacy.items()
        if is_named_by(each, index) and has_field({"template": each}, field)
    ]


def index_templates(client: Elasticsearch) -> dict[str, Mapping[str, Any]]:
    """All index templates, by name, each as it may be put again."""
    with elastic_errors(client):
        found = client.indices.get_index_template()["index_templates"]
    return {
        each["name"]: {key: v for key, v in each["index_template"].items() if key not in _DATES}
        for each in found
    }


def put_templates(client: Elasticsearch, templates: Mapping[str, Mapping[str, Any]]) -> None:
    """Replaces index templates, for the indices that are made of them from now on."""
    for name, body in templates.items():
        with elastic_errors(client):
            client.indices.put_index_template(name=name, body=dict(body))


def aliases_of(client: Elasticsearch, index: str) -> Mapping[str, Mapping[str, Any]]:
    """The aliases of an index, each with its filter, routing and flags."""
    with elastic_errors(client):
        found = client.indices.get_alias(index=index)
    aliases: Mapping[str, Mapping[str, Any]] = found[index]["aliases"]
    return aliases


def move_aliases(
    client: Elasticsearch, old: str, new: str, *, name_too: bool = False
) -> Sequence[str]:
    """Moves every alias of an index to another as it is, all in one moment; gives their names.

    With ``name_too`` the index is removed, and its name is an alias of the other.
    """
    aliases = aliases_of(client, old)
    actions: list[dict[str, Any]] = [{"remove_index": {"index": old}}] if name_too else []
    for name, said in aliases.items():
        if not name_too:
            actions.append({"remove": {"index": old, "alias": name, "must_exist": True}})
        actions.append({"add": {"index": new, "alias": name, **said}})
    if name_too:
        actions.append({"add": {"index": new, "alias": old}})
    with elastic_errors(client):
        # sent once: after an answer that was lost, a second request would find them moved
        client.options(max_retries=0).indices.update_aliases(actions=actions)
    return [*aliases, old] if name_too else list(aliases)
