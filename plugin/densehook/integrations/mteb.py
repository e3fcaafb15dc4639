"""mteb: an encoder that its tasks measure.

from densehook.integrations.mteb import DensehookEncoder

mteb.evaluate(DensehookEncoder("all-minilm-l6-v2"), mteb.get_tasks(tasks=["SciFact"]))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bundle import Dense
from .encoders import encoder_of
from .needing import needing

if TYPE_CHECKING:
    from ..bundle import Manifest
    from ..encode import Encoder

with needing("mteb", "densehook.integrations.mteb"):
    from mteb.models import ModelMeta
    from mteb.models.abs_encoder import AbsEncoder

_SIMILARITIES = {"cosine": "cosine", "dot_product": "dot", "max_inner_product": "dot"}


class DensehookEncoder(AbsEncoder):
    """An encoder by mteb's own protocol; its results are filed under the bundle's fingerprint.

    Queries and documents have their prompts; what is neither has the prompt that both share, if
    any. A task's own instruction is not put before a text: a bundle's prompts are its own.

        mteb.evaluate(DensehookEncoder("all-minilm-l6-v2"), tasks)
    """

    def __init__(self, encoder: Encoder | Path | str) -> None:
        """``encoder`` is one that is loaded, or its bundle's name or folder."""
        self.model = encoder_of(encoder)
        self.mteb_model_meta = _meta_of(self.model.manifest)

    def encode(
        self,
        inputs: Iterable[Mapping[str, Any]],
        *,
        task_metadata: Any,
        hf_split: str,
        hf_subset: str,
        prompt_type: Any = None,
        **options: Any,
    ) -> Any:
        """Batches of texts -> float32 [n, dims]."""
        texts = [text for batch in inputs for text in batch["text"]]
        role = None if prompt_type is None else str(prompt_type.value)
        return self.model.encode(texts, role, **options)


def _meta_of(manifest: Manifest) -> Any:
    dense = manifest.of(Dense)
    return ModelMeta(
        loader=None,
        name=f"densehook/{manifest.name}",
        revision=manifest.fingerprint.removeprefix("sha256:")[:16],
        release_date=None,
        languages=None,
        n_parameters=None,
        memory_usage_mb=None,
        max_tokens=manifest.max_tokens,
        embed_dim=dense.dims,
        license=None,
        open_weights=True,
        public_training_code=None,
        public_training_data=None,
        framework=["ONNX"],
        similarity_fn_name=_SIMILARITIES[dense.similarity],
        use_instructions=any(manifest.prompts.values()),
        training_datasets=None,
        adapted_from=manifest.source.repository,
    )
