"""What one run with three outputs costs: a vector, weights of tokens and token vectors, as BGE M3.

By a model of random weights: the cost is of its size alone. Every run is timed beside one that
gives the vector alone, in turn, on one thread and by what it takes of the CPU, so that whatever
else the machine does is not counted.
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from densehook.encode import Encoder, load
from densehook.encode.tokenizer import Tokens
from densehook.export import Recipe, export_bundle

from .report import Result, at_most, out, parser, show

LAYERS, WIDTH, HEADS, VOCABULARY = 6, 384, 12, 30_000
POSITIONS = 512
LENGTHS = (32, 128, 500)
"""Words of a text, of which each is a token."""
_TOKENS_PER_RUN = 2048
_BAR = 1.1
_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def main() -> int:
    """Runs the benchmark."""
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=5, help="runs of each, in turn")
    args = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _write_model(folder / "model")
        recipe = Recipe(
            "three",
            str(folder / "model"),
            pooling="cls",
            normalise=True,
            max_tokens=POSITIONS,
            also=["sparse", "multi"],
        )
        out.print("Exporting a model of random weights")
        encoder = load(export_bundle(recipe, folder / "bundle").path, threads=1)
        results = [measured(encoder, words, args.rounds) for words in LENGTHS]
    return show("Three outputs of one run", results, args.json)


def measured(encoder: Encoder, words: int, rounds: int) -> Result:
    """Texts of so many words, as many as run together."""
    window = encoder.tokenize(_texts(words, _TOKENS_PER_RUN // (words + 2)), "document")
    kinds = list(encoder.manifest.heads)
    alone, three = _in_turn(
        [
            lambda: encoder.encode_tokens(window),
            lambda: encoder.encode_tokens_of_kinds(window, kinds),
        ],
        rounds,
    )
    rate = _tokens(window) / statistics.median(alone)
    name = f"{len(window)} texts of {words + 2} tokens"
    out.print(f"{name}: {rate:,.0f} tokens a second of the CPU by the vector alone")
    return at_most(f"{name}: three outputs against the vector alone", _ratio(three, alone), _BAR)


def _in_turn(ways: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """The CPU's seconds of each, one after the other in every round; the first is not timed."""
    took: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds + 1):
        for way, seconds in zip(ways, took, strict=True):
            started = time.process_time()
            way()
            seconds.append(time.process_time() - started)
    return [seconds[1:] for seconds in took]


def _ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """The median of the rounds'."""
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def _tokens(window: Sequence[Tokens]) -> int:
    return sum(len(each.ids) for each in window)


def _texts(words: int, count: int) -> list[str]:
    chosen = random.Random(0)
    return [" ".join(_word(chosen.randrange(2000)) for _ in range(words)) for _ in range(count)]


def _word(number: int) -> str:
    return f"w{number}"


def _write_model(folder: Path) -> None:
    """An XLM-R of random weights with the heads of BGE M3, and a token for each word."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(0)
    words = [*_SPECIAL, *(_word(number) for number in range(VOCABULARY - len(_SPECIAL)))]
    raw = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    raw.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    ).save_pretrained(folder)
    config = XLMRobertaConfig(
        vocab_size=VOCABULARY,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=4 * WIDTH,
        max_position_embeddings=POSITIONS + 2,
        type_vocab_size=1,
        pad_token_id=1,
    )
    XLMRobertaModel(config).save_pretrained(folder)
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": POSITIONS}))
    for name, rows in (("sparse_linear.pt", 1), ("colbert_linear.pt", WIDTH)):
        torch.save(torch.nn.Linear(WIDTH, rows).state_dict(), folder / name)


if __name__ == "__main__":
    raise SystemExit(main())
