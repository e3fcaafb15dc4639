"""The encoder: texts in, vectors out, nothing cut silently."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Self, TypeVar, Unpack, cast, overload

from ..bundle import Bundle, Cross, Dense, GoldenText, Manifest, Numbers, Role
from ..chunk import Chunk, ChunkRule, Cut, Sizes, Window, cut, windows
from ..errors import EncodeError
from ..images import Image
from ..machine import usable_cpus
from ..number_lists import number_lists, text_of_numbers
from ..types import EncodeStats
from .asked import QUERY, Asked, Options, Prompt, instructed_prompt, named_prompt, stated_prompt
from .encoded import Encoded, EncodedEach, Scored, WindowsEach, placed, stats_of
from .kinds import LEXICONS, OUTPUTS
from .packing import TOKENS_PER_RUN
from .progress import shown_progress
from .reading import reader_of
from .running import Running
from .session import Session, Vector, Vectors
from .tokenizer import Tokens

log = logging.getLogger(__name__)

WINDOW = 1024
"""Texts tokenised and sorted together: enough for little padding, few enough to bound memory."""

_WINDOW_CHARACTERS = 16 * 1024 * 1024
"""Texts of a stream in memory at once, unless one alone is longer."""

Key = TypeVar("Key")


def _unheard(more: int) -> None:
    """Progress that nobody asked for."""


class Encoder:
    """A bundle at work. Vectors of one text are equal, to 1e-6 in fp32, in any company."""

    def __init__(
        self,
        bundle: Bundle,
        threads: int | None = None,
        tokens_per_run: int | None = None,
        *,
        concurrent_runs: int | None = None,
        provider: str | None = None,
        spinning: bool = True,
    ) -> None:
        """``threads`` (default: the process's CPUs) are shared by ``concurrent_runs``.

        What is left out is as the bundle was tuned, for the provider it was tuned for; untuned, one
        run on the CPU has all threads.
        """
        threads = threads or usable_cpus()
        tuning = bundle.tuning()
        # how a run is best on one provider says nothing of another
        if tuning is not None and provider in (None, tuning.provider):
            tokens_per_run = tokens_per_run or tuning.tokens_per_run
            concurrent_runs = concurrent_runs or tuning.concurrent_runs
            provider = provider or tuning.provider
        self.manifest: Manifest = bundle.manifest
        self._kind = OUTPUTS[bundle.manifest.kind]
        self._read = reader_of(bundle)
        at_once = min(concurrent_runs or 1, threads)
        session = Session(
            bundle.model,
            bundle.manifest,
            threads // at_once,
            provider=provider or "cpu",
            spinning=spinning,
        )
        heads = {kind: bundle.of_kind(kind) for kind in bundle.manifest.token_heads}
        self._running = Running(
            bundle.manifest,
            session,
            tokens_per_run or TOKENS_PER_RUN,
            at_once,
            {
                kind: LEXICONS[kind](head, self._read.tokenizer)
                for kind, head in heads.items()
                if kind in LEXICONS
            },
        )
        self._queries: Encoder | None = None
        if bundle.queries is not None:
            self._queries = Encoder(bundle.queries, threads, provider=provider, spinning=spinning)

    def __repr__(self) -> str:
        proof = f", proof: {self.manifest.proof}" if self.manifest.proof else ""
        return f"<Encoder {self.manifest.name!r}: {self.manifest.summary}{proof}>"

    @property
    def dims(self) -> int:
        """Length of a vector. Raises BundleError for a kind that gives none."""
        return self.manifest.of(Dense).dims

    @property
    def fingerprint(self) -> str:
        """Identity of the vectors that it makes of documents and queries; Manifest.fingerprint."""
        return self.manifest.fingerprint

    def tower(self, role: str | None) -> Encoder:
        """The encoder of texts in a role: this one, unless queries have one of their own."""
        return self._queries if self._queries is not None and role == "query" else self

    def of_kind(self, kind: str) -> Self:
        """The same graph as an encoder of one of its kinds: its rows are of that kind alone.

        Nothing is computed for the others. Raises BundleError for a kind that it does not give.

            densehook.load("bge-m3").of_kind("sparse").encode_queries("how do vaccines work")
        """
        manifest = self.manifest.of_kind(kind)
        if manifest is self.manifest:
            return self
        other = copy.copy(self)
        other.manifest = manifest
        other._kind = OUTPUTS[kind]
        other._running = self._running.of_kind(kind)
        return other

    def blank(self, texts: int) -> Vectors:
        """What so many texts have before they are encoded: zeros, float32 [n, dims]."""
        rows: Vectors = self._kind.blank(self.manifest, texts)
        return rows

    @property
    def tokens_per_run(self) -> int:
        """How many tokens a run may have, padding among them."""
        return self._running.tokens_per_run

    @property
    def max_padding(self) -> float:
        """The share of a run that may be padding: none where the graph does not know padding."""
        return self._running.max_padding

    @overload
    def encode_queries(self, texts: str, instruction: str | None = None) -> Vector: ...
    @overload
    def encode_queries(self, texts: Sequence[str], instruction: str | None = None) -> Vectors: ...
    def encode_queries(
        self, texts: str | Sequence[str], instruction: str | None = None
    ) -> Vector | Vectors:
        """Queries -> float32 [n, dims], with the query prompt; one text -> float32 [dims].

        ``instruction`` takes the prompt's place, where the bundle states how. Raises RequestError
        for one that the encoder does not take, or that leaves less than half of what it reads.
        Raises EncodeError on a text that is not a string, gives no token, or that the model cannot
        run. Texts over the limit are cut, with a warning in the log that says how many and by how
        much.
        """
        return self.encode(texts, "query", instruction=instruction)

    @overload
    def encode_documents(self, texts: str) -> Vector: ...
    @overload
    def encode_documents(self, texts: Sequence[str]) -> Vectors: ...
    def encode_documents(self, texts: str | Sequence[str]) -> Vector | Vectors:
        """Documents -> float32 [n, dims], with the document prompt; else as encode_queries."""
        return self.encode(texts, "document")

    @overload
    def encode(
        self, texts: str, prompt_name: str | None = None, **options: Unpack[Options]
    ) -> Vector: ...
    @overload
    def encode(
        self, texts: Iterable[str], prompt_name: str | None = None, **options: Unpack[Options]
    ) -> Vectors: ...
    def encode(
        self,
        texts: str | Iterable[str],
        prompt_name: str | None = None,
        **options: Unpack[Options],
    ) -> Vector | Vectors:
        """Texts -> float32 [n, dims]; one text -> float32 [dims]; as in sentence-transformers.

        What may be asked is in ``encode.asked.Asked``. Without a prompt's name a text has the
        prompt that queries and documents share, else none. Raises RequestError for what cannot be,
        also of what sentence-transformers knows; EncodeError as encode_queries.

            encoder.encode(["a text"], prompt_name="query", truncate_dim=128)
        """
        if (tower := self.tower(prompt_name)) is not self:
            return tower.encode(texts, prompt_name, **options)
        asked = Asked.of(prompt_name, options)
        if asked.instruction is None:
            prompt = asked.prompt_of(self.manifest)
        else:
            prompt = instructed_prompt(self.manifest, asked.instruction, self._read.leading)
        given = [texts] if isinstance(texts, str) else list(texts)
        progress = shown_progress(len(given)) if asked.show_progress_bar else nullcontext(_unheard)
        with progress as advance:
            encoded = self._encode(given, prompt, batch_size=asked.batch_size, advance=advance)
        if cut := encoded.stats.cut_of(self.manifest.max_tokens):
            log.warning(cut)
        vectors = asked.finished(encoded.vectors)
        return vectors[0] if isinstance(texts, str) else vectors

    @overload
    def encode_query(
        self, texts: str, prompt_name: str | None = "query", **options: Unpack[Options]
    ) -> Vector: ...
    @overload
    def encode_query(
        self, texts: Iterable[str], prompt_name: str | None = "query", **options: Unpack[Options]
    ) -> Vectors: ...
    def encode_query(
        self,
        texts: str | Iterable[str],
        prompt_name: str | None = "query",
        **options: Unpack[Options],
    ) -> Vector | Vectors:
        """As ``encode``, with the query prompt unless another is named."""
        return self.encode(texts, prompt_name or "query", **options)

    @overload
    def encode_document(
        self, texts: str, prompt_name: str | None = "document", **options: Unpack[Options]
    ) -> Vector: ...
    @overload
    def encode_document(
        self, texts: Iterable[str], prompt_name: str | None = "document", **options: Unpack[Options]
    ) -> Vectors: ...
    def encode_document(
        self,
        texts: str | Iterable[str],
        prompt_name: str | None = "document",
        **options: Unpack[Options],
    ) -> Vector | Vectors:
        """As ``encode``, with the document prompt unless another is named."""
        return self.encode(texts, prompt_name or "document", **options)

    def similarity(self, queries: Vectors, documents: Vectors) -> Vectors:
        """Scores by the field's similarity: float32 [n, dims] and [m, dims] -> float32 [n, m].

        Inner products, of unit vectors where the similarity is the cosine; as
        sentence-transformers' ``similarity``, and not shifted as an Elasticsearch score is.
        """
        scores: Vectors = self._kind.similarity(self.manifest, queries, documents)
        return scores

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """Images -> float32 [n, dims]: of an ``ImageTextEncoder``; of any other BundleError."""
        self.manifest.require_modality("image")
        raise NotImplementedError("encoded by ImageTextEncoder, which load gives")

    def encode_images_counted(
        self,
        images: Sequence[Image],
        around_run: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Encoded:
        """The same with their count; each runs within what ``around_run`` gives."""
        return Encoded(self.encode_images(images), EncodeStats())

    def encode_each_image(
        self,
        images: Sequence[Image],
        around_run: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> EncodedEach:
        """The same, with those that cannot be encoded beside, each with its reason."""
        return self.encode_each_image_of_kinds(images, [self.manifest.kind])[0]

    def encode_each_image_of_kinds(
        self, images: Sequence[Image], kinds: Sequence[str]
    ) -> list[EncodedEach]:
        """The same of several kinds that one run gives: those of each, in their order."""
        return [EncodedEach(self.encode_images(images), EncodeStats(), {}) for _ in kinds]

    def encode_numbers(self, lists: Iterable[Any]) -> Vectors:
        """Lists of numbers, or of lists of channels -> float32 [n, dims], in their order.

        Arrays are lists too: [steps] or [steps, channels]. Raises BundleError for an encoder that
        reads none, EncodeError, with the place, for a list that it cannot read or that is empty.
        Lists over the limit are cut, with a warning in the log.

            encoder.encode_numbers([[0.5, 1, 2.25], np.zeros(96, np.float32)])
        """
        self.manifest.of(Numbers)
        return self.encode_documents([text_of_numbers(each) for each in number_lists(lists)])

    def score(self, query: str, texts: Sequence[str]) -> Vector:
        """Scores of texts for a query: of a ``CrossEncoder``; of any other BundleError says so."""
        self.manifest.of(Cross)
        raise NotImplementedError("scored by CrossEncoder, which load gives")

    def score_best(self, query: str, texts: Sequence[str], chunks: int | None = None) -> Scored:
        """The same of texts' best chunks."""
        return Scored(self.score(query, texts), EncodeStats())

    def encode_counted(self, texts: Sequence[str], role: Role) -> Encoded:
        """Vectors and, beside them, what was cut. Raises EncodeError as encode_queries does."""
        tower = self.tower(role)
        return tower._encode(texts, named_prompt(tower.manifest, role))

    def encode_each(
        self, texts: Sequence[str], role: Role, prompts: Sequence[str | None] | None = None
    ) -> EncodedEach:
        """Vectors of all texts but those that cannot be encoded, each of which has its reason.

        ``prompts`` are those that some have in the place of the role's. Raises RequestError for one
        whose tokens cannot be told, where the encoder pools none of its prompts'.
        """
        return self.encode_each_of_kinds(texts, role, [self.manifest.kind], prompts)[0]

    def encode_each_of_kinds(
        self,
        texts: Sequence[str],
        role: Role,
        kinds: Sequence[str],
        prompts: Sequence[str | None] | None = None,
    ) -> list[EncodedEach]:
        """As ``encode_each``, of several kinds that one run gives: those of each, in their order.

        Raises BundleError for a kind that it does not give.

            dense, sparse = encoder.encode_each_of_kinds(texts, "document", ["dense", "sparse"])
        """
        if (tower := self.tower(role)) is not self:
            return tower.encode_each_of_kinds(texts, role, [tower.manifest.kind], prompts)
        require_list(texts)
        for kind in kinds:
            self.manifest.of_kind(kind).require_tokens()
        vectors = [self.of_kind(kind).blank(len(texts)) for kind in kinds]
        each_ones = self._prompts(texts, role, prompts)
        stats = EncodeStats()
        failures: dict[int, EncodeError] = {}
        for start in range(0, len(texts), WINDOW):
            window = self._tokenize_each(
                texts[start : start + WINDOW], each_ones[start : start + WINDOW], start
            )
            tokens = {start + n: each for n, each in enumerate(window) if isinstance(each, Tokens)}
            places = list(tokens)
            made, failed = self._run_kinds(list(tokens.values()), kinds)
            for rows, own in zip(vectors, made, strict=True):
                rows[places] = own
            failures |= {places[n]: placed(error, places[n]) for n, error in failed.items()}
            failures |= {e.position: e for e in window if isinstance(e, EncodeError)}
            stats += stats_of([each for at, each in tokens.items() if at not in failures])
        return [EncodedEach(rows, stats, failures) for rows in vectors]

    def _run_kinds(
        self, window: Sequence[Tokens], kinds: Sequence[str]
    ) -> tuple[list[Vectors], dict[int, EncodeError]]:
        if len(kinds) == 1:
            rows, failures = self.of_kind(kinds[0]).encode_each_of(window)
            return [rows], failures
        several, failures = self._running.each_of_kinds(window, kinds)
        return [several[kind] for kind in kinds], failures

    def encode_tokens_of_kinds(
        self, window: Sequence[Tokens], kinds: Sequence[str]
    ) -> list[Vectors]:
        """As ``encode_tokens``, of several kinds that one run gives."""
        vectors, failures = self._run_kinds(window, kinds)
        if failures:
            place = min(failures)
            raise placed(failures[place], place) from failures[place]
        return vectors

    def _encode(
        self,
        texts: Sequence[str],
        prompt: Prompt,
        first: int = 0,
        *,
        batch_size: int | None = None,
        advance: Callable[[int], None] = _unheard,
    ) -> Encoded:
        """``first`` is the place of the first text, for an EncodeError.

        ``advance`` hears, window by window, how many texts more are encoded.
        """
        require_list(texts)
        vectors = self.blank(len(texts))
        stats = EncodeStats()
        for start in range(0, len(texts), WINDOW):
            window = self._tokenize(texts[start : start + WINDOW], prompt, first + start)
            vectors[start : start + WINDOW] = self.encode_tokens(
                window, first=first + start, batch_size=batch_size
            )
            stats += stats_of(window)
            advance(len(window))
        return Encoded(vectors, stats)

    def encode_stream(
        self,
        texts: Iterable[tuple[Key, str]],
        role: Role = "document",
        on_progress: Callable[[EncodeStats], None] = lambda stats: None,
    ) -> Iterator[tuple[Key, Vector]]:
        """Pairs of key and text -> pairs of key and float32 [dims], in their order.

        No more is in memory than a window of texts and their vectors, however many there are.
        ``on_progress`` hears, window by window, what has been encoded so far. Raises EncodeError
        with the text's place in the stream.
        """
        tower = self.tower(role)
        prompt = named_prompt(tower.manifest, role)
        stats = EncodeStats()
        for window in _windows(texts):
            try:
                encoded = tower._encode([text for _, text in window], prompt, stats.texts)
            except EncodeError as error:
                key = window[error.position - stats.texts][0]
                message = f"text {key!r} of the stream: {error}"
                raise EncodeError(message, error.position) from error
            stats += encoded.stats
            on_progress(stats)
            for (key, _), vector in zip(window, encoded.vectors, strict=True):
                yield key, vector.copy()  # a view would keep the window's other vectors alive

    def _prompts(
        self, texts: Sequence[str], role: Role, stated: Sequence[str | None] | None
    ) -> list[Prompt]:
        """The prompt of each text: the stated one, or the role's."""
        of_role = named_prompt(self.manifest, role)
        known = {
            each: stated_prompt(each, self.manifest) for each in stated or () if each is not None
        }
        return [of_role if each is None else known[each] for each in stated or [None] * len(texts)]

    def cut(self, text: str, rule: ChunkRule, stated: str | None = None) -> Cut:
        """The chunks of a document's text; none has more tokens than the rule says or it can read.

        ``stated`` is the prompt before each, where it is not that of documents. Raises
        UnusableDocument for a text of more chunks than the rule allows.
        """
        return cut(text, rule.within(self.manifest.max_tokens), self._sizes(stated))

    def windows(
        self, text: str, chunks: Sequence[Chunk], stated: str | None = None
    ) -> list[Window]:
        """The chunks of a document's text, as many together as it can read.

        Raises BundleError where parts of a text have no vectors.
        """
        self.manifest.require_spans()
        return windows(text, chunks, self.manifest.max_tokens, self._sizes(stated))

    def _sizes(self, stated: str | None) -> Sizes:
        """How many tokens the model would read of each document, however many it can."""
        prompt = named_prompt(self.manifest, "document").text if stated is None else stated

        def sizes(texts: Sequence[str]) -> list[int]:
            tokens = self._read([prompt + each for each in texts], "document")
            return [len(each.ids) + each.lost for each in tokens]

        return sizes

    def encode_windows(
        self, given: Sequence[Window], stated: Sequence[str | None] | None = None
    ) -> WindowsEach:
        """Chunks in their windows, as documents -> float32 [chunks, dims] of each window.

        ``stated`` are their prompts, as in ``encode_each``, and those that cannot be encoded have
        their reason, as there. Raises BundleError where parts of a text have no vectors.
        """
        self.manifest.require_spans()
        prompts = self._prompts([each.content for each in given], "document", stated)
        vectors: dict[int, Vectors] = {}
        failures: dict[int, EncodeError] = {}
        stats = EncodeStats()
        for start in range(0, len(given), WINDOW):
            window = self._with_spans(
                given[start : start + WINDOW], prompts[start : start + WINDOW], start
            )
            tokens = {start + n: each for n, each in enumerate(window) if isinstance(each, Tokens)}
            places = list(tokens)
            made, failed = self.encode_spans_of(list(tokens.values()))
            vectors |= {places[n]: rows for n, rows in made.items()}
            failures |= {places[n]: placed(error, places[n]) for n, error in failed.items()}
            failures |= {e.position: e for e in window if isinstance(e, EncodeError)}
            stats += stats_of([each for at, each in tokens.items() if at not in failures])
        return WindowsEach(vectors, stats, failures)

    def _with_spans(
        self, given: Sequence[Window], prompts: Sequence[Prompt], first: int
    ) -> list[Tokens | EncodeError]:
        """The tokens of each window, with those of its chunks, or why it has none."""
        before = [len(prompt.text) for prompt in prompts]
        tokens = self._read.with_spans(
            [prompt.text + each.content for each, prompt in zip(given, prompts, strict=True)],
            [
                [(start + shift, end + shift) for start, end in each.spans]
                for each, shift in zip(given, before, strict=True)
            ],
        )
        return [
            _with_tokens(each, Prompt(""), window.content, position)
            for position, (each, window) in enumerate(zip(tokens, given, strict=True), first)
        ]

    def tokenize(self, texts: Sequence[str], role: Role, first: int = 0) -> list[Tokens]:
        """What the model reads for each text: prompt, special tokens and truncation included.

        ``first`` is the place of the first one, for an EncodeError, as encode_queries raises it.
        """
        require_list(texts)
        tower = self.tower(role)
        return tower._tokenize(texts, named_prompt(tower.manifest, role), first)

    def golden_tokens(self, golden: GoldenText) -> Tokens:
        """What the model reads for a golden text. Raises EncodeError for one of another kind's."""
        if golden.query is not None:
            raise EncodeError(f"golden text {golden.text[:40]!r} is of a pair, with a query")
        return self.tokenize([golden.text], golden.role)[0]

    def sample_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """What the model reads where texts like these are encoded, to see what numbers it has."""
        return self.tokenize(texts, "document")

    def _tokenize(self, texts: Sequence[str], prompt: Prompt, first: int) -> list[Tokens]:
        tokens = []
        for each in self._tokenize_each(texts, [prompt] * len(texts), first):
            if isinstance(each, EncodeError):
                raise each
            tokens.append(each)
        return tokens

    def _tokenize_each(
        self, texts: Sequence[str], prompts: Sequence[Prompt], first: int
    ) -> list[Tokens | EncodeError]:
        """Each text's tokens, or why it has none."""
        self.manifest.require_tokens()
        of_role: dict[str, list[str]] = {}
        for text, prompt in zip(texts, prompts, strict=True):
            if isinstance(cast(object, text), str):
                of_role.setdefault(prompt.role, []).append(prompt.text + text)
        tokens = {role: iter(self._read.each(given, role)) for role, given in of_role.items()}
        return [
            _with_tokens(next(tokens[prompt.role]), prompt, text, position)
            if isinstance(cast(object, text), str)
            else EncodeError(
                f"text {position} is of type {type(text).__name__}, not a string", position
            )
            for position, (text, prompt) in enumerate(zip(texts, prompts, strict=True), start=first)
        ]

    def encode_tokens(
        self,
        window: Sequence[Tokens],
        around_run: Callable[[], AbstractContextManager[None]] = nullcontext,
        first: int = 0,
        batch_size: int | None = None,
    ) -> Vectors:
        """Tokenised texts -> float32 [n, dims], run in packs of like length, as large as allowed.

        Each pack is run within what ``around_run`` gives, which may hold it back. Raises
        EncodeError for the first text that the model cannot run; its place counts from ``first``.
        """
        vectors, failures = self.encode_each_of(window, around_run, batch_size)
        if failures:
            place = min(failures)
            raise placed(failures[place], first + place) from failures[place]
        return vectors

    def encode_each_of(
        self,
        window: Sequence[Tokens],
        around_run: Callable[[], AbstractContextManager[None]] = nullcontext,
        batch_size: int | None = None,
    ) -> tuple[Vectors, dict[int, EncodeError]]:
        """As ``encode_tokens``; a text that cannot be run is all zeros, its reason beside."""
        return self._running.each(window, around_run, batch_size)

    def encode_spans_of(
        self, window: Sequence[Tokens]
    ) -> tuple[dict[int, Vectors], dict[int, EncodeError]]:
        """Tokenised texts -> by place float32 [spans, dims], or why it cannot be run."""
        return self._running.each_spans(window)


def require_list(texts: object) -> None:
    """Raises EncodeError for one string, whose letters would be taken for texts."""
    if isinstance(texts, str):
        raise EncodeError("texts must be a list of strings, not one string; put it in a list")


def _with_tokens(
    tokens: Tokens | EncodeError, prompt: Prompt, text: str, position: int
) -> Tokens | EncodeError:
    if isinstance(tokens, EncodeError):
        return placed(tokens, position)
    if tokens.ids:
        # a vector is pooled of the last token at least
        unpooled = min(prompt.unpooled, len(tokens.ids) - 1)
        return tokens._replace(unpooled=unpooled, is_query=prompt.role == QUERY)
    return EncodeError(f"text {position} ({text[:40]!r}) gives no token", position)


def _windows(texts: Iterable[tuple[Key, str]]) -> Iterator[list[tuple[Key, str]]]:
    window: list[tuple[Key, str]] = []
    characters = 0
    for key, text in texts:
        window.append((key, text))
        characters += len(text) if isinstance(text, str) else 0
        if len(window) == WINDOW or characters > _WINDOW_CHARACTERS:
            yield window
            window, characters = [], 0
    if window:
        yield window
