"""How near each variant is to the plain bundle, on each execution provider it is meant for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..bundle import Bundle
from ..encode import encoder_of
from ..encode.session import available_providers
from ..errors import BundleError, GateError, ProviderError
from ..export.kinds import GATES, nearest

PLAIN = "fp32"

Place = tuple[str, str]
"""A variant, and the execution provider it runs on."""


@dataclass(frozen=True)
class Nearness:
    """Of what a variant gives to what the plain bundle does, on the gate's texts, 1 at most.

    ``by`` is how its kind says that.
    """

    by: str
    least: float
    batch_dependent: bool


def nearness(
    bundles: Mapping[str, Bundle],
) -> tuple[Mapping[Place, Nearness], Mapping[Place, str]]:
    """How near each variant is on each provider, and why others are refused there.

    On the CPU a variant was judged when it was built. Another provider has other kernels: there the
    gate judges it anew, against the plain bundle on the CPU.
    """
    from ..export.variants import VARIANTS

    near: dict[Place, Nearness] = {}
    refused: dict[Place, str] = {}
    for name, bundle in bundles.items():
        for provider in available_providers():
            if provider not in VARIANTS[name].providers:
                continue
            try:
                near[name, provider] = (
                    _when_built(name, bundle)
                    if provider == "cpu"
                    else _judged(bundle, provider, bundles[PLAIN])
                )
            except (BundleError, GateError, ProviderError) as error:
                refused[name, provider] = str(error)
    return near, refused


def _when_built(name: str, bundle: Bundle) -> Nearness:
    manifest = bundle.manifest
    # the plain bundle's proof is of its nearness to PyTorch
    least = 1.0 if name == PLAIN else nearest(manifest, _parity(bundle))
    return Nearness(GATES[manifest.kind].NEAREST, least, manifest.batch_dependent)


def _judged(bundle: Bundle, provider: str, plain: Bundle) -> Nearness:
    from ..export.gate import gate_golden
    from ..export.variant_gates import variant_gate

    encoder = encoder_of(bundle, provider=provider)
    gate_golden(encoder, bundle)
    parity = variant_gate(bundle.manifest)(encoder, encoder_of(plain), plain.golden())
    manifest = bundle.manifest
    dependent = manifest.batch_dependent or parity.batch_dependent
    least = nearest(manifest, parity.as_json())
    return Nearness(GATES[manifest.kind].NEAREST, least, dependent)


def _parity(bundle: Bundle) -> Mapping[str, Any]:
    return dict(json.loads((bundle.path / "parity.json").read_text()))
