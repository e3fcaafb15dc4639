"""Random models of real architectures, small enough to make and export in a second or two."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from densehook.export.texts import AWKWARD, PASSAGES, QUESTIONS

HIDDEN = 32
POSITIONS = 64
_TEXTS = [*PASSAGES, *QUESTIONS, *AWKWARD]
_SIZES = {"hidden_size": HIDDEN, "num_hidden_layers": 2, "num_attention_heads": 2}


def make_bert(folder: Path) -> None:
    from transformers import BertConfig, BertModel

    tokenizer = _word_piece("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    config = BertConfig(
        **_SIZES,
        vocab_size=tokenizer.vocab_size,
        intermediate_size=64,
        max_position_embeddings=POSITIONS,
    )
    _save(folder, BertModel(config), tokenizer)


def make_masked_bert(folder: Path) -> None:
    """With its head, which gives most tokens a logit under 0, as a trained one does."""
    import torch
    from transformers import BertConfig, BertForMaskedLM

    tokenizer = _word_piece("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    config = BertConfig(
        **_SIZES,
        vocab_size=tokenizer.vocab_size,
        intermediate_size=64,
        max_position_embeddings=POSITIONS,
        initializer_range=0.2,
    )
    model = BertForMaskedLM(config)
    with torch.no_grad():
        model.cls.predictions.bias.fill_(-2)
    _save(folder, model, tokenizer)


def make_xlm_roberta(folder: Path) -> None:
    from transformers import XLMRobertaConfig, XLMRobertaModel

    raw = _unigram("<s>", "<pad>", "</s>", "<unk>", "<mask>")
    tokenizer = _fast(raw, pad="<pad>", unk="<unk>", cls="<s>", sep="</s>", mask="<mask>")
    config = XLMRobertaConfig(
        **_SIZES,
        vocab_size=tokenizer.vocab_size,
        intermediate_size=64,
        max_position_embeddings=POSITIONS + 2,
        pad_token_id=1,
    )
    _save(folder, XLMRobertaModel(config), tokenizer)


def make_distilbert(folder: Path) -> None:
    from transformers import DistilBertConfig, DistilBertModel

    tokenizer = _word_piece("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    config = DistilBertConfig(
        dim=HIDDEN,
        n_layers=2,
        n_heads=2,
        hidden_dim=64,
        vocab_size=tokenizer.vocab_size,
        max_position_embeddings=POSITIONS,
    )
    _save(folder, DistilBertModel(config), tokenizer)


def make_mpnet(folder: Path) -> None:
    from transformers import MPNetConfig, MPNetModel

    tokenizer = _word_piece("<s>", "<pad>", "</s>", "[UNK]", "<mask>", first="<s>", last="</s>")
    config = MPNetConfig(
        **_SIZES,
        vocab_size=tokenizer.vocab_size,
        intermediate_size=64,
        max_position_embeddings=POSITIONS + 2,
        pad_token_id=1,
    )
    _save(folder, MPNetModel(config), tokenizer)


def make_modernbert(folder: Path) -> None:
    from transformers import ModernBertConfig, ModernBertModel

    raw = _byte_pairs("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    tokenizer = _fast(raw, pad="[PAD]", unk="[UNK]", cls="[CLS]", sep="[SEP]", mask="[MASK]")
    config = ModernBertConfig(
        **_SIZES,
        vocab_size=tokenizer.vocab_size,
        intermediate_size=64,
        max_position_embeddings=POSITIONS,
        local_attention=16,
        pad_token_id=0,
        cls_token_id=2,
        sep_token_id=3,
        reference_compile=False,
    )
    _save(folder, ModernBertModel(config), tokenizer)


def make_qwen3(folder: Path) -> None:
    from transformers import Qwen3Config, Qwen3Model

    _save_decoder(folder, Qwen3Model, Qwen3Config)


def make_gemma3(folder: Path) -> None:
    """EmbeddingGemma's shape: attention to both sides, of layers in turn within a window."""
    from transformers import Gemma3TextConfig, Gemma3TextModel

    _save_decoder(
        folder,
        Gemma3TextModel,
        Gemma3TextConfig,
        use_bidirectional_attention=True,
        sliding_window=16,
        layer_types=["sliding_attention", "full_attention"],
    )


def make_mistral(folder: Path) -> None:
    from transformers import MistralConfig, MistralModel

    _save_decoder(folder, MistralModel, MistralConfig, sliding_window=16)


def make_llama(folder: Path) -> None:
    from transformers import LlamaConfig, LlamaModel

    _save_decoder(folder, LlamaModel, LlamaConfig)


def make_t5(folder: Path) -> None:
    """GTR's and sentence-t5's shape: the encoder alone is saved."""
    from transformers import T5Config, T5EncoderModel

    _save_t5(folder, T5EncoderModel, T5Config)


def make_umt5(folder: Path) -> None:
    """As T5 is published, UL2 too: with its decoder, of which no vector is made."""
    from transformers import UMT5Config, UMT5Model

    _save_t5(folder, UMT5Model, UMT5Config, feed_forward_proj="gated-gelu")


def _save_t5(folder: Path, model_class: Any, config_class: Any, **settings: Any) -> None:
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    raw = _unigram("<pad>", "</s>", "<unk>")
    raw.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token="<pad>",
        unk_token="<unk>",
        eos_token="</s>",
        model_input_names=["input_ids", "attention_mask"],
    )
    config = config_class(
        d_model=HIDDEN,
        d_kv=16,
        d_ff=64,
        num_layers=2,
        num_heads=2,
        relative_attention_num_buckets=8,
        relative_attention_max_distance=20,
        vocab_size=len(tokenizer),
        **settings,
    )
    _save(folder, model_class(config), tokenizer)


def make_qwen3_moe(folder: Path) -> None:
    from transformers import Qwen3MoeConfig, Qwen3MoeModel

    _save_decoder(
        folder,
        Qwen3MoeModel,
        Qwen3MoeConfig,
        num_experts=16,
        num_experts_per_tok=2,
        moe_intermediate_size=16,
        norm_topk_prob=False,
    )


def make_mixtral(folder: Path) -> None:
    from transformers import MixtralConfig, MixtralModel

    _save_decoder(folder, MixtralModel, MixtralConfig, num_local_experts=4, num_experts_per_tok=2)


MIXTURES: Mapping[str, Callable[[Path], None]] = {
    "qwen3-moe": make_qwen3_moe,
    "mixtral": make_mixtral,
}
"""Of experts; transformers before 5 alone keeps them so that they can be exported."""

TOKEN_DIMS = 16


def make_colbert(folder: Path) -> None:
    """A BERT with a projection among its weights, as ColBERT saves it."""
    from safetensors.torch import load_file, save_file
    from transformers import BertConfig, BertModel

    tokenizer = _word_piece("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", "[unused1]")
    config = BertConfig(
        **_SIZES,
        vocab_size=tokenizer.vocab_size,
        intermediate_size=64,
        max_position_embeddings=POSITIONS,
    )
    _save(folder, BertModel(config, add_pooling_layer=False), tokenizer)
    weights = {
        f"bert.{name}": each for name, each in load_file(folder / "model.safetensors").items()
    }
    save_file({**weights, "linear.weight": _projection()}, folder / "model.safetensors")
    _write(
        folder / "artifact.metadata",
        {
            "query_token_id": "[unused0]",
            "doc_token_id": "[unused1]",
            "dim": TOKEN_DIMS,
            "query_maxlen": 16,
            "doc_maxlen": 48,
            "mask_punctuation": True,
            "attend_to_mask_tokens": False,
        },
    )


def make_pylate(folder: Path) -> None:
    """A ModernBERT with a Dense module behind it, as PyLate saves it."""
    from safetensors.torch import save_file

    make_modernbert(folder)
    _write(
        folder / "modules.json",
        [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Dense", "type": "pylate.models.Dense.Dense"},
        ],
    )
    _write(
        folder / "1_Dense" / "config.json",
        {
            "in_features": HIDDEN,
            "out_features": TOKEN_DIMS,
            "bias": False,
            "activation_function": "torch.nn.modules.linear.Identity",
        },
    )
    save_file({"linear.weight": _projection()}, folder / "1_Dense" / "model.safetensors")
    _write(
        folder / "config_sentence_transformers.json",
        {
            "query_prefix": "e",
            "document_prefix": "t",
            "query_length": 12,
            "document_length": 40,
            "attend_to_expansion_tokens": True,
            "skiplist_words": ["!", ".", ","],
        },
    )


def make_m3(folder: Path) -> None:
    """An XLM-R with the heads of BGE M3 beside it, as its authors save them."""
    import torch

    make_xlm_roberta(folder)
    describe(folder, pooling="cls", max_tokens=POSITIONS)
    for name, rows in (("sparse_linear.pt", 1), ("colbert_linear.pt", TOKEN_DIMS)):
        linear = torch.nn.Linear(HIDDEN, rows)
        torch.save(linear.state_dict(), folder / name)


def make_table(folder: Path, dims: int) -> Path:
    """A vector for each token, as model2vec has them; gives the folder."""
    import numpy as np
    from safetensors.numpy import save_file

    tokenizer = _word_piece("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    folder.mkdir(parents=True)
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    rows = np.random.default_rng(5).normal(size=(tokenizer.vocab_size, dims))
    save_file({"embeddings": rows.astype(np.float32)}, folder / "model.safetensors")
    _write(
        folder / "config.json", {"model_type": "model2vec", "normalize": True, "hidden_dim": dims}
    )
    return folder


def _projection() -> Any:
    import torch

    return torch.randn(TOKEN_DIMS, HIDDEN)


DECODERS: Mapping[str, Callable[[Path], None]] = {
    "qwen3": make_qwen3,
    "gemma3": make_gemma3,
    "mistral": make_mistral,
    "llama": make_llama,
}
DISTANCES: Mapping[str, Callable[[Path], None]] = {"t5": make_t5, "umt5": make_umt5}
"""Those that know how far tokens are from each other, and not where they are."""
ARCHITECTURES: Mapping[str, Callable[[Path], None]] = {
    "bert": make_bert,
    "xlm-roberta": make_xlm_roberta,
    "distilbert": make_distilbert,
    "mpnet": make_mpnet,
    "modernbert": make_modernbert,
    **DISTANCES,
    **DECODERS,
}
LATE_INTERACTION: Mapping[str, Callable[[Path], None]] = {
    "colbert": make_colbert,
    "pylate": make_pylate,
}


def describe(
    folder: Path,
    *,
    pooling: str = "mean",
    normalise: bool = True,
    max_tokens: int = POSITIONS,
    prompts: Mapping[str, str] | None = None,
    include_prompt: bool = True,
) -> None:
    """Writes what sentence-transformers writes beside a model."""
    modules = ["Transformer", "Pooling", *(["Normalize"] if normalise else [])]
    paths = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    _write(
        folder / "modules.json",
        [
            {
                "idx": i,
                "name": str(i),
                "path": paths[m],
                "type": f"sentence_transformers.models.{m}",
            }
            for i, m in enumerate(modules)
        ],
    )
    modes = {
        "cls": "cls_token",
        "max": "max_tokens",
        "mean": "mean_tokens",
        "mean_sqrt_len": "mean_sqrt_len_tokens",
        "weightedmean": "weightedmean_tokens",
        "last": "lasttoken",
    }
    _write(
        folder / "1_Pooling" / "config.json",
        {
            "word_embedding_dimension": HIDDEN,
            **{f"pooling_mode_{mode}": name in pooling.split("+") for name, mode in modes.items()},
            "include_prompt": include_prompt,
        },
    )
    _write(folder / "sentence_bert_config.json", {"max_seq_length": max_tokens})
    if prompts:
        _write(folder / "config_sentence_transformers.json", {"prompts": prompts})


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))


def _word_piece(*special: str, first: str = "[CLS]", last: str = "[SEP]") -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    normalizer, splitter = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    words, ends = _counted(splitter, normalizer.normalize_str)
    letters = sorted({letter for word in words for letter in word})
    pieces = words + Counter({f"##{end}": count for end, count in ends.items()})
    known = [*special, *letters, *(f"##{letter}" for letter in letters), *_by_count(pieces)]
    vocabulary = {piece: n for n, piece in enumerate(list(dict.fromkeys(known))[:900])}
    raw = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    raw.normalizer = normalizer
    raw.pre_tokenizer = splitter
    raw.decoder = decoders.WordPiece()
    pad, mask = (next(s for s in special if name in s.lower()) for name in ("pad", "mask"))
    return _fast(raw, pad=pad, unk="[UNK]", cls=first, sep=last, mask=mask)


def _unigram(*special: str) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    splitter = pre_tokenizers.Metaspace()
    words, ends = _counted(splitter, str)
    letters = Counter(letter for word in words.elements() for letter in word)
    pieces = words + ends + letters
    known = [*_by_count(letters), *_by_count(pieces)]
    total = pieces.total()
    scored = [(piece, math.log(pieces[piece] / total)) for piece in dict.fromkeys(known)]
    rows = [*((each, 0.0) for each in special), *scored][:600]
    raw = Tokenizer(models.Unigram(rows, special.index("<unk>"), False))
    raw.pre_tokenizer = splitter
    raw.decoder = decoders.Metaspace()
    raw.add_special_tokens(list(special))
    return raw


def _counted(splitter: Any, normalise: Callable[[str], str]) -> tuple[Counter[str], Counter[str]]:
    """The texts' words and their ends: counted, as a trainer's pieces differ by the process."""
    words = Counter(
        word for text in _TEXTS for word, _ in splitter.pre_tokenize_str(normalise(text))
    )
    ends = Counter(word[-size:] for word in words.elements() for size in (2, 3))
    return words, ends


def _by_count(pieces: Counter[str]) -> list[str]:
    return sorted(pieces, key=lambda piece: (-pieces[piece], piece))


def _byte_pairs(*special: str) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=800,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(_TEXTS, trainer)
    return raw


def _save_decoder(folder: Path, model_class: Any, config_class: Any, **settings: Any) -> None:
    """One whose tokenizer pads on the left, and ends each text by its post-processor."""
    import torch
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    raw = _byte_pairs("<|end|>")
    raw.post_processor = TemplateProcessing(single="$A <|end|>", special_tokens=[("<|end|>", 0)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token="<|end|>",
        pad_token="<|end|>",
        padding_side="left",
        model_max_length=POSITIONS,
    )
    config = config_class(
        **_SIZES,
        **settings,
        num_key_value_heads=1,
        head_dim=16,
        vocab_size=len(tokenizer),
        intermediate_size=64,
        max_position_embeddings=POSITIONS,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = model_class(config)
    # its end is its padding too, whose embedding a new model has at zero, and a trained one has not
    with torch.no_grad():
        model.get_input_embeddings().weight[0].normal_(std=config.initializer_range)
    _save(folder, model, tokenizer)


def _fast(raw: Any, *, pad: str, unk: str, cls: str, sep: str, mask: str) -> Any:
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    raw.post_processor = TemplateProcessing(
        single=f"{cls} $A {sep}",
        special_tokens=[(cls, raw.token_to_id(cls)), (sep, raw.token_to_id(sep))],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token=pad,
        unk_token=unk,
        cls_token=cls,
        sep_token=sep,
        mask_token=mask,
        model_max_length=POSITIONS,
    )


def _save(folder: Path, model: Any, tokenizer: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
