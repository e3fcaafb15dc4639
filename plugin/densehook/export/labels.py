"""How many labels a model of sequences tells apart: a cross-encoder has one, the score."""

from __future__ import annotations

from pathlib import Path


def labels_of(folder: Path) -> int | None:
    """That number, two where its configuration says none; None for one that cannot be read."""
    from transformers import AutoConfig

    try:
        return int(AutoConfig.from_pretrained(folder, trust_remote_code=False).num_labels)
    except Exception:
        return None  # loading says what is wrong


def many_labels(folder: Path, labels: int) -> str:
    """Why no cross-encoder is made of a model that tells several apart."""
    return (
        f"{folder} tells {labels} labels apart; a cross-encoder has one label, the score: take a"
        " model that was trained to rank"
    )
