"""sentence-transformers: an encoder as its evaluators take a model.

from densehook.integrations.sentence_transformers import DensehookModel

InformationRetrievalEvaluator(queries, corpus, relevant)(DensehookModel(encoder))
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bundle import Dense
from .encoders import encoder_of
from .needing import needing

if TYPE_CHECKING:
    from ..encode import Encoder

with needing("sentence-transformers", "densehook.integrations.sentence_transformers"):
    import torch
    from sentence_transformers import util

_FUNCTIONS = {
    "cosine": ("cosine", util.cos_sim, util.pairwise_cos_sim),
    "dot_product": ("dot", util.dot_score, util.pairwise_dot_score),
    "max_inner_product": ("dot", util.dot_score, util.pairwise_dot_score),
}
"""By a bundle's similarity: what sentence-transformers calls it and computes it by."""


class ModelCard:
    """Where an evaluator leaves what it measured; a bundle has no card to write it on."""

    def set_evaluation_metrics(self, *measured: Any, **more: Any) -> None:
        """Nothing: the evaluator gives its measures back too."""


class DensehookModel:
    """An encoder with the methods of a ``SentenceTransformer`` that evaluators call.

    It gives tensors where they are asked for, which the encoder itself does not.

        DensehookModel("all-minilm-l6-v2").encode(["a text"], convert_to_tensor=True)
    """

    def __init__(self, encoder: Encoder | Path | str) -> None:
        """``encoder`` is one that is loaded, or its bundle's name or folder."""
        self.encoder = encoder_of(encoder)
        self.similarity_fn_name, self.similarity, self.similarity_pairwise = _FUNCTIONS[
            self.encoder.manifest.of(Dense).similarity
        ]
        self.model_card_data = ModelCard()
        self.device = torch.device("cpu")  # where its tensors are

    def encode(self, inputs: str | Iterable[str], *positional: Any, **options: Any) -> Any:
        """As the encoder's own, and tensors with ``convert_to_tensor``."""
        return self._encoded(self.encoder.encode, inputs, *positional, **options)

    def encode_query(self, inputs: str | Iterable[str], *positional: Any, **options: Any) -> Any:
        """As the encoder's own, and tensors with ``convert_to_tensor``."""
        return self._encoded(self.encoder.encode_query, inputs, *positional, **options)

    def encode_document(self, inputs: str | Iterable[str], *positional: Any, **options: Any) -> Any:
        """As the encoder's own, and tensors with ``convert_to_tensor``."""
        return self._encoded(self.encoder.encode_document, inputs, *positional, **options)

    def get_embedding_dimension(self) -> int:
        """Dims of a vector."""
        return self.encoder.dims

    def get_sentence_embedding_dimension(self) -> int:
        """By its older name."""
        return self.encoder.dims

    @staticmethod
    def _encoded(
        encode: Any,
        inputs: str | Iterable[str],
        prompt_name: str | None = None,
        *,
        convert_to_numpy: bool = True,
        convert_to_tensor: bool = False,
        **options: Any,
    ) -> Any:
        vectors = encode(inputs, prompt_name, **options)
        if convert_to_tensor:
            return torch.from_numpy(vectors)
        if convert_to_numpy:
            return vectors
        return torch.from_numpy(vectors) if vectors.ndim == 1 else list(torch.from_numpy(vectors))
