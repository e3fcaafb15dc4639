"""Random models that score pairs, small enough to make and export in a second or two."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tiny_models
from tiny_models import POSITIONS

_SIZES = {
    "hidden_size": tiny_models.HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "initializer_range": 0.3,  # so that random scores are far enough apart to have an order
}

TEMPLATE = """
[prompts]
query = "<Instruct>: find it\\n<Query>: "
document = " "

[template]
before = "Judge.\\n"
query_end = "\\n<Document>:"
after = "\\nThink:\\n\\n"
yes = "y"
no = "n"
"""
"""Of a decoder, in the manner of Qwen3-Reranker: around it there are some 40 tokens of 64."""


BETWEEN = """
activation = "identity"

[prompts]
query = "query: "
document = "document: "

[template]
before = "You judge.\\n"
between = "\\n"
after = "\\nRelevance:"
yes = "1"
no = "0"
"""
"""In the manner of mxbai-rerank v2: each part is tokenised by itself, and queries are never cut."""


def make_bert(folder: Path, labels: int = 1) -> None:
    from transformers import BertConfig, BertForSequenceClassification

    tokenizer = _tokenizer_of_pairs(folder, tiny_models.make_bert, "[CLS]", "[SEP]")
    config = BertConfig(
        **_SIZES,
        vocab_size=tokenizer.vocab_size,
        max_position_embeddings=POSITIONS,
        num_labels=labels,
    )
    tiny_models._save(folder, BertForSequenceClassification(config), tokenizer)


def make_xlm_roberta(folder: Path) -> None:
    from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

    tokenizer = _tokenizer_of_pairs(folder, tiny_models.make_xlm_roberta, "<s>", "</s>", twice=True)
    config = XLMRobertaConfig(
        **_SIZES,
        vocab_size=tokenizer.vocab_size,
        max_position_embeddings=POSITIONS + 2,
        pad_token_id=1,
        num_labels=1,
    )
    tiny_models._save(folder, XLMRobertaForSequenceClassification(config), tokenizer)


def make_qwen3(folder: Path) -> None:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tiny_models._save_decoder(
        folder, Qwen3ForCausalLM, Qwen3Config, initializer_range=0.3, tie_word_embeddings=True
    )


def make_qwen2(folder: Path) -> None:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    tiny_models._save_decoder(
        folder, Qwen2ForCausalLM, Qwen2Config, initializer_range=0.3, tie_word_embeddings=True
    )


ARCHITECTURES: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "bert": (make_bert, ""),
    "xlm-roberta": (make_xlm_roberta, ""),
    "qwen3": (make_qwen3, TEMPLATE),
    "qwen2": (make_qwen2, BETWEEN),
}
"""By name: what makes the model's folder, and the rest of its recipe."""


def recipe(folder: Path, architecture: str = "bert", more: str = "") -> Path:
    """Makes a model in a folder, and the recipe of its bundle."""
    make, rest = ARCHITECTURES[architecture]
    make(folder / "model")
    path = folder / f"tiny-{architecture}-pairs.toml"
    path.write_text(f'source = "model"\nkind = "cross"\n{more}\n{rest}')
    return path


def state(folder: Path, activation: str) -> None:
    """Writes what sentence-transformers writes of a score's activation."""
    path = folder / "model" / "config.json"
    content: dict[str, Any] = json.loads(path.read_text())
    content["sentence_transformers"] = {"activation_fn": activation}
    path.write_text(json.dumps(content))


def _tokenizer_of_pairs(
    folder: Path, make: Callable[[Path], None], first: str, last: str, *, twice: bool = False
) -> Any:
    """That of a model of texts, which knows pairs too."""
    from tokenizers.processors import TemplateProcessing
    from transformers import AutoTokenizer

    make(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    between = f"{last} {last}" if twice else last
    kind = "" if twice else ":1"
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {between} $B{kind} {last}{kind}",
        special_tokens=[(each, tokenizer.convert_tokens_to_ids(each)) for each in (first, last)],
    )
    return tokenizer
