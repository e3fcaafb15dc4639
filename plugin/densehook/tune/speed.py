"""How fast bundles encode in bulk, side by side: every one in turn, and again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import cast

from ..bundle import Bundle
from ..encode import Encoder, ImageTextEncoder, pack
from ..encode import encoder_of as opened
from ..encode.encoder import WINDOW
from ..encode.tokenizer import Tokens
from ..machine import usable_cpus

_ROUNDS = 3
_SEED = 0
_SHARE = 6  # of a window, one run in so many is timed
_FINALISTS = 2
_IMAGES = 32
"""Of which a round runs so many."""


@dataclass(frozen=True)
class Setting:
    """How a session is run; ``tokens_per_run`` counts padding too."""

    provider: str
    tokens_per_run: int
    concurrent_runs: int


@dataclass(frozen=True)
class Speed:
    """A bundle's best setting and what it gives, of texts or of images: the median over rounds."""

    setting: Setting
    texts_per_second: float


@dataclass
class _Candidate:
    name: str
    bundle: Bundle
    setting: Setting
    timed: Sequence[Tokens]
    texts: float
    """Of the whole window, as many as have the timed texts' tokens."""
    seconds: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Times the texts once; the session lives no longer: one at a time is in memory."""
        encoder = encoder_of(self.bundle, self.setting)
        kinds = list(encoder.manifest.token_heads)
        first_runs = self.timed[: 2 * self.setting.concurrent_runs]
        encoder.encode_tokens_of_kinds(first_runs, kinds)
        started = time.perf_counter()
        encoder.encode_tokens_of_kinds(self.timed, kinds)
        self.seconds.append(time.perf_counter() - started)

    @property
    def speed(self) -> Speed:
        return Speed(self.setting, self.texts / median(self.seconds))


def settings(provider: str) -> list[Setting]:
    """What is tried: one run on all threads, or one on each, of more or fewer tokens."""
    if provider == "cuda":
        return [Setting(provider, tokens, 1) for tokens in (4096, 16384, 65536)]
    cpus = usable_cpus()
    return [
        Setting(provider, tokens, runs)
        for tokens in (512, 1024, 2048)
        for runs in sorted({1, cpus})
    ]


def encoder_of(bundle: Bundle, setting: Setting) -> Encoder:
    """The bundle, run as the setting says."""
    return opened(
        bundle,
        tokens_per_run=setting.tokens_per_run,
        concurrent_runs=setting.concurrent_runs,
        provider=setting.provider,
    )


def fastest_settings(
    bundles: Mapping[tuple[str, str], Bundle],
    texts: Sequence[str],
    progress: Callable[[str, int, int | None], None],
) -> Mapping[tuple[str, str], Speed]:
    """Bundles by name and provider -> the speed of each at its best setting.

    Every setting is run once, then the best of each bundle in turn for some rounds, so that what
    else the machine does falls on all alike.
    """
    drawn = random.Random(_SEED).sample(list(texts), min(WINDOW, len(texts)))
    finals: list[_Candidate] = []
    for number, ((name, provider), bundle) in enumerate(bundles.items()):
        progress("measuring settings", number, len(bundles))
        tried = _candidates(name, provider, bundle, drawn)
        for each in tried:
            each.run()
        finals += sorted(tried, key=lambda each: -each.speed.texts_per_second)[:_FINALISTS]
    for each in finals:
        each.seconds.clear()
    for turn in range(_ROUNDS):
        progress("measuring speed", turn, _ROUNDS)
        for each in finals:
            each.run()
    best: dict[tuple[str, str], Speed] = {}
    for each in sorted(finals, key=lambda each: each.speed.texts_per_second):
        best[each.name, each.setting.provider] = each.speed
    return best


def of_images(
    bundles: Mapping[tuple[str, str], Bundle],
    known: Mapping[tuple[str, str], Speed],
    images: Sequence[str],
    progress: Callable[[str, int, int | None], None],
) -> Mapping[tuple[str, str], Speed]:
    """The known settings, which are for texts, with the speed of images, each run by itself."""
    drawn = random.Random(_SEED).sample(list(images), min(_IMAGES, len(images)))
    seconds: dict[tuple[str, str], list[float]] = {place: [] for place in bundles}
    for turn in range(_ROUNDS):
        progress("measuring speed of images", turn, _ROUNDS)
        for place, bundle in bundles.items():
            encoder = cast(ImageTextEncoder, encoder_of(bundle, known[place].setting))
            encoder.encode_each_image(drawn[:1])
            started = time.perf_counter()
            encoder.encode_each_image(drawn)
            seconds[place].append(time.perf_counter() - started)
    return {
        place: Speed(speed.setting, len(drawn) / median(seconds[place]))
        for place, speed in known.items()
    }


def _candidates(
    name: str, provider: str, bundle: Bundle, texts: Sequence[str]
) -> Sequence[_Candidate]:
    encoder = opened(bundle, provider=provider)
    tokens = encoder.sample_tokens(texts)
    lengths = [len(text.ids) for text in tokens]
    found = []
    for setting in settings(provider):
        # packed as a whole window is, so that as many texts of a length go together
        packs = pack(lengths, setting.tokens_per_run, encoder.max_padding)
        # packs go from long texts to short ones, and each setting's are others
        timed = [p for each in packs[min(_SHARE, len(packs)) // 2 :: _SHARE] for p in each]
        share = sum(lengths[position] for position in timed) / sum(lengths)
        of_timed = [tokens[position] for position in timed]
        found.append(_Candidate(name, bundle, setting, of_timed, share * len(tokens)))
    return found
