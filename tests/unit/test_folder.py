"""What a model folder says of prompts, lengths and similarity is used or refused, never dropped."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densehook.errors import ExportError, RecipeError
from densehook.export import Recipe, export_bundle
from densehook.export.folder import FolderFacts, Settings, read_folder, settle
from densehook.export.prompts import Prompts, place_prompts

RECIPE = Recipe(name="tiny", source="model")
FACTS = FolderFacts(pooling="mean", normalise=True, max_tokens=64)


def settled(facts: FolderFacts = FACTS, positions: int | None = None, **said: Any) -> Settings:
    return settle(dataclasses.replace(RECIPE, **said), facts, 512, positions)


@pytest.mark.parametrize(
    ("named", "default", "query", "document"),
    [
        ({}, None, "", ""),
        ({"query": "", "document": ""}, None, "", ""),
        ({"query": "q: "}, None, "q: ", ""),
        ({"query": "q: ", "document": "d: "}, None, "q: ", "d: "),
        ({"query": "q: ", "passage": "p: "}, None, "q: ", "p: "),
        ({"query": "q: ", "document": "", "passage": "p: "}, None, "q: ", "p: "),
        ({"query": "q: ", "corpus": "c: "}, None, "q: ", "c: "),
        ({"query": "q: ", "document": "", "clustering": "c: "}, None, "q: ", ""),
        ({"query": "q: ", "document": ""}, "query", "q: ", ""),
        ({"retrieval": "r: "}, "retrieval", "r: ", "r: "),
        ({"query": "", "document": "", "retrieval": "r: "}, "retrieval", "r: ", "r: "),
        ({"query": "q: ", "retrieval": "r: "}, "retrieval", "q: ", "r: "),
        ({"query": "q: ", "none": ""}, "none", "q: ", ""),
    ],
)
def test_prompts_go_where_sentence_transformers_puts_them(
    named: Mapping[str, str], default: str | None, query: str, document: str
) -> None:
    facts = dataclasses.replace(FACTS, prompts=place_prompts(named, default))
    assert settled(facts).prompts == {"query": query, "document": document}


@pytest.mark.parametrize(
    ("named", "default", "open_roles"),
    [
        ({"search_query": "q: ", "search_document": "d: "}, None, {"query", "document"}),
        ({"s2p_query": "q: ", "s2s_query": "s: "}, None, {"query", "document"}),
        ({"query": "", "document": "", "retrieval": "r: "}, None, {"query", "document"}),
        ({"query": "q: ", "doc": "d: "}, None, {"document"}),
        ({"passage": "p: ", "question": "q: "}, None, {"query"}),
        ({"query": "q: "}, "query", {"document"}),
        ({"document": "d: "}, "document", {"query"}),
    ],
)
def test_prompts_that_nothing_places_are_refused_until_the_recipe_speaks(
    named: Mapping[str, str], default: str | None, open_roles: set[str]
) -> None:
    facts = dataclasses.replace(FACTS, prompts=place_prompts(named, default))
    with pytest.raises(RecipeError) as caught:
        settled(facts)
    assert all(repr(name) in str(caught.value) for name, text in named.items() if text)
    assert all(f"{role} = ..." in str(caught.value) for role in open_roles)
    said = dict.fromkeys(open_roles, "mine: ")
    assert said.items() <= settled(facts, prompts=said).prompts.items()
    nothing = dict.fromkeys(open_roles, "")
    assert nothing.items() <= settled(facts, prompts=nothing).prompts.items()


@given(
    named=st.dictionaries(
        st.sampled_from(["query", "document", "passage", "corpus", "retrieval", "s2p"]),
        st.sampled_from(["", "a: ", "b: "]),
    ),
    has_default=st.booleans(),
)
def test_no_prompt_is_ever_dropped_in_silence(named: Mapping[str, str], has_default: bool) -> None:
    prompts = place_prompts(named, next(iter(named), None) if has_default else None)
    facts = dataclasses.replace(FACTS, prompts=prompts)
    try:
        settings = settled(facts)
    except RecipeError:
        return
    told = [*settings.prompts.values(), *settings.remarks]
    for name, text in named.items():
        assert not text or text in told or any(name in remark for remark in settings.remarks)


def test_prompts_of_other_tasks_are_remarked_on() -> None:
    prompts = place_prompts({"query": "q: ", "document": "", "clustering": "c: "}, None)
    assert settled(dataclasses.replace(FACTS, prompts=prompts)).remarks == [
        "prompts of the model folder that are for neither role: clustering"
    ]


def test_a_default_that_names_no_prompt_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"default_prompt_name is 'x', .* names 'query'"):
        place_prompts({"query": "q: "}, "x")


def test_a_folder_that_says_more_tokens_than_positions_is_cut_with_a_remark() -> None:
    found = settled(dataclasses.replace(FACTS, max_tokens=256), positions=64)
    assert found.max_tokens == 64
    assert found.remarks == [
        "max_tokens is 64: the model folder says 256, for which the model has no positions"
    ]


def test_a_recipe_that_says_more_tokens_than_positions_is_refused() -> None:
    with pytest.raises(RecipeError, match="max_tokens is 256, the model has positions for 64"):
        settled(positions=64, max_tokens=256, overrides=["max_tokens"])


def test_without_a_word_the_shorter_of_tokenizer_and_positions_counts() -> None:
    silent = dataclasses.replace(FACTS, max_tokens=None)
    assert settled(silent, positions=64).max_tokens == 64
    assert settled(silent, positions=8192).max_tokens == 512
    assert settled(silent).max_tokens == 512


def test_the_folders_length_counts_before_the_tokenizers() -> None:
    longer = dataclasses.replace(FACTS, max_tokens=2048)
    assert settled(longer, positions=8192).max_tokens == 2048


def test_dot_products_of_vectors_of_any_length_are_not_elasticsearchs_dot_product() -> None:
    facts = FolderFacts(pooling="mean", normalise=False, max_tokens=64, similarity="dot")
    assert settled(facts).similarity == "max_inner_product"
    with pytest.raises(RecipeError, match="vectors of length 1 alone"):
        settled(facts, similarity="dot_product")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config_sentence_transformers.json", {"prompts": ["a"]}, "prompts are .'a'."),
        ("config_sentence_transformers.json", {"prompts": {"query": 3}}, "prompt query is 3"),
        ("config_sentence_transformers.json", {"default_prompt_name": []}, "must be a string"),
        ("config_sentence_transformers.json", {"similarity_fn_name": {}}, "no kNN field has it"),
        ("config_sentence_transformers.json", [], "must be an object"),
        ("sentence_bert_config.json", {"max_seq_length": "64"}, "max_seq_length is '64'"),
        ("sentence_bert_config.json", {"max_seq_length": True}, "max_seq_length is True"),
        ("sentence_bert_config.json", 3, "must be an object"),
    ],
)
def test_a_folder_of_the_wrong_types_is_refused_in_one_line(
    tmp_path: Path, file: str, content: object, message: str
) -> None:
    (tmp_path / file).write_text(json.dumps(content))
    with pytest.raises(RecipeError, match=message) as caught:
        read_folder(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_of_nulls_says_nothing(tmp_path: Path) -> None:
    sentence = {"prompts": None, "default_prompt_name": None, "similarity_fn_name": None}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(sentence))
    (tmp_path / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": None}))
    facts = read_folder(tmp_path)
    assert facts == FolderFacts(transformer=tmp_path, prompts=Prompts(undecided=[], unplaced=[]))


def test_a_pooling_that_nobody_tells_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")  # a model without modules.json and 1_Pooling
    facts = read_folder(tmp_path)
    with pytest.raises(RecipeError, match=r"pooling is missing and .* or with --pooling"):
        settled(facts)
    assert settled(facts, pooling="cls").pooling == "cls"


def test_a_folder_that_is_no_model_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ExportError, match=r"is no model: it has no config\.json; name the folder"):
        export_bundle(Recipe("x", str(tmp_path)), tmp_path.parent / "never")
    assert not (tmp_path.parent / "never").exists()
