"""Tokenizers of single letters, and random models that read them."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import tiny_models

LETTERS = "ACGTN" + string.ascii_lowercase


def make_bert(folder: Path) -> None:
    """No special tokens, and none for letters that it does not know."""
    from transformers import BertConfig, BertModel

    tokenizer = _tokenizer()
    config = BertConfig(
        hidden_size=tiny_models.HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=2,
        vocab_size=len(tokenizer),
        intermediate_size=64,
        max_position_embeddings=512,
    )
    tiny_models._save(folder, BertModel(config), tokenizer)
    tiny_models.describe(folder, max_tokens=512)


def make_mamba(folder: Path, max_tokens: int = 4096) -> None:
    """Each text is ended by the only special token, whose vector is the text's."""
    from transformers import MambaConfig, MambaModel

    tokenizer = _tokenizer(end="<eos>")
    config = MambaConfig(
        hidden_size=tiny_models.HIDDEN,
        num_hidden_layers=2,
        state_size=8,
        vocab_size=len(tokenizer),
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=1,
    )
    tiny_models._save(folder, MambaModel(config), tokenizer)
    tiny_models.describe(folder, pooling="last", max_tokens=max_tokens)


def _tokenizer(end: str = "") -> Any:
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    known = ["<pad>", *filter(None, [end]), *LETTERS]
    raw = Tokenizer(models.BPE({letter: n for n, letter in enumerate(known)}, []))
    raw.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    named = {}
    if end:
        raw.post_processor = TemplateProcessing(single=f"$A {end}", special_tokens=[(end, 1)])
        named = {"eos_token": end}
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token="<pad>",
        model_input_names=["input_ids", "attention_mask"],
        **named,
    )
