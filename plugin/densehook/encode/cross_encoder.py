"""The encoder of pairs: a query and texts in, a score for each text out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from ..bundle import Bundle, Cross, GoldenText, Role, is_blank
from ..chunk import LEAST_TOKENS, ChunkRule
from ..chunk import cut as cut_text
from ..errors import BundleError, EncodeError, RequestError
from ..types import EncodeStats
from .asked import Prompt, named_prompt
from .encoded import Scored, stats_of
from .encoder import WINDOW, Encoder, log, require_list
from .pairs import empty_half, kept, paired
from .session import Vector
from .tokenizer import Tokens

_QUERY_WORDS = 8
"""Of a text, that stand for a query where there is none."""


class Ranked(NamedTuple):
    """A text by its place among those given, with its score."""

    place: int
    score: float


class CrossEncoder(Encoder):
    """A bundle of kind cross at work.

    The score of a pair is the same, to 1e-5 in fp32, whatever pairs run with it.

        encoder = densehook.load("ms-marco-minilm-l12")
        encoder.score("how do vaccines work", ["A vaccine shows …", "Water boils …"])
    """

    def __init__(self, bundle: Bundle, *args: Any, **options: Any) -> None:
        super().__init__(bundle, *args, **options)
        self._pairing = bundle.manifest.of(Cross).pairing

    def score(self, query: str, texts: Sequence[str]) -> Vector:
        """Scores of texts for one query -> float32 [n].

        Pairs over the limit are cut, with a warning in the log that says how many and by how much.
        Raises EncodeError on a text that is not a string, gives no token, or that the model cannot
        run, also where the query gives none; RequestError for a query of blanks.
        """
        require_list(texts)
        scored = self._scored([(query, text) for text in texts], self._tokenize_whole_pairs)
        if cut := scored.stats.cut_of(self.manifest.max_tokens):
            log.warning(cut)
        return scored.scores

    def rank(self, query: str, texts: Sequence[str], top_k: int | None = None) -> list[Ranked]:
        """The texts' places and scores, best first, at most ``top_k``; else as ``score``."""
        scores = self.score(query, texts)
        order = np.argsort(-scores, kind="stable")[:top_k]
        return [Ranked(int(place), float(scores[place])) for place in order]

    def score_counted(self, pairs: Sequence[tuple[str, str]]) -> Scored:
        """Scores of pairs of query and text and, beside them, what was cut; else as ``score``.

        Also of a pair one half of which gives no token, as golden texts and gates have it. A query
        that several pairs have is tokenised once.
        """
        return self._scored(pairs, self.tokenize_pairs)

    def _scored(
        self,
        pairs: Sequence[tuple[str, str]],
        read: Callable[[Sequence[tuple[str, str]], int], list[Tokens]],
    ) -> Scored:
        scores = np.zeros(len(pairs), dtype=np.float32)
        stats = EncodeStats()
        for start in range(0, len(pairs), WINDOW):
            window = read(pairs[start : start + WINDOW], start)
            scores[start : start + WINDOW] = self.encode_tokens(window, first=start)[:, 0]
            stats += stats_of(window)
        return Scored(scores, stats)

    def score_best(self, query: str, texts: Sequence[str], chunks: int | None = None) -> Scored:
        """The score of each text, or of the best of its first ``chunks`` -> float32 [n].

        A chunk is as many whole sentences as the model reads beside the query. Raises EncodeError
        as ``score`` does.
        """
        if chunks is None:
            return self._scored([(query, text) for text in texts], self._tokenize_whole_pairs)
        parts = [self.chunks(query, text, chunks) for text in texts]
        pairs = [(query, part) for each in parts for part in each]
        scored = self._scored(pairs, self._tokenize_whole_pairs)
        ends = np.cumsum([len(each) for each in parts])[:-1]
        best = [each.max() for each in np.split(scored.scores, ends)] if parts else []
        return Scored(np.array(best, dtype=np.float32), scored.stats)

    def chunks(self, query: str, text: str, most: int) -> list[str]:
        """The first chunks of a text, each as long as the model reads beside the query.

        Where not even a sentence's worth fits, the text as a whole is the only one.
        """
        (read,) = self._parts([query], "query")
        longest = kept(
            self._pairing,
            self.manifest.max_tokens,
            len(read.ids) + read.lost,
            self.manifest.max_tokens,
        ).text
        (around,) = self._text_sizes([""])
        if longest < max(LEAST_TOKENS, 2 * around):
            return [text]
        rule = ChunkRule(max_tokens=longest, max_chunks=most, beyond="cut")
        found = cut_text(text, rule, self._text_sizes).chunks
        return [each.content for each in found] or [text]

    def _text_sizes(self, texts: Sequence[str]) -> list[int]:
        return [len(each.ids) + each.lost for each in self._parts(texts, "document")]

    def tokenize_pairs(self, pairs: Sequence[tuple[str, str]], first: int = 0) -> list[Tokens]:
        """What the model reads for each pair of query and text.

        ``first`` is the place of the first one, for an EncodeError, which is raised for what is not
        a string; RequestError for a query of blanks.
        """
        limit = self.manifest.max_tokens
        return [paired(self._pairing, limit, *halves) for halves in self._halves(pairs, first)]

    def _tokenize_whole_pairs(
        self, pairs: Sequence[tuple[str, str]], first: int = 0
    ) -> list[Tokens]:
        """The same; raises EncodeError also for a pair one half of which gives no token."""
        found = []
        for position, halves in enumerate(self._halves(pairs, first), first):
            half = empty_half(*halves)
            if half is not None:
                text = dict(zip(("query", "text"), pairs[position - first], strict=True))[half]
                raise EncodeError(
                    f"pair {position}: its {half} {text[:40]!r} gives no token", position
                )
            found.append(paired(self._pairing, self.manifest.max_tokens, *halves))
        return found

    def _halves(self, pairs: Sequence[tuple[str, str]], first: int) -> list[tuple[Tokens, Tokens]]:
        """The tokens of the query and of the text of each pair."""
        for position, (query, text) in enumerate(pairs, first):
            for each in (query, text):
                if not isinstance(cast(object, each), str):
                    raise EncodeError(
                        f"pair {position} has a text of type {type(each).__name__}, not a string",
                        position,
                    )
            if is_blank(query):
                raise RequestError(f"the query {query!r} has no text to score texts for")
        queries = list(dict.fromkeys(query for query, _ in pairs))
        read = dict(zip(queries, self._parts(queries, "query"), strict=True))
        texts = self._parts([text for _, text in pairs], "document")
        return [(read[query], text) for (query, _), text in zip(pairs, texts, strict=True)]

    def golden_tokens(self, golden: GoldenText) -> Tokens:
        """As ``Encoder.golden_tokens``, of a pair."""
        if golden.query is None:
            raise EncodeError(f"golden text {golden.text[:40]!r} has no query: it is no pair")
        return self.tokenize_pairs([(golden.query, golden.text)])[0]

    def sample_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """As ``Encoder.sample_tokens``: each text in a pair with the first words of the next."""
        others = [*texts[1:], *texts[:1]]
        heads = [" ".join(other.split()[:_QUERY_WORDS]) for other in others]
        pairs = zip(heads, texts, strict=True)
        return self.tokenize_pairs([pair for pair in pairs if not is_blank(pair[0])])

    def _parts(self, texts: Sequence[str], role: Role) -> list[Tokens]:
        """The tokens of queries, or of texts, without those around them."""
        before = named_prompt(self.manifest, role).text
        end = self._pairing.query_end if role == "query" else ""
        return self._read.parts_of_pairs([before + text + end for text in texts], role)

    def _tokenize_each(
        self, texts: Sequence[str], prompts: Sequence[Prompt], first: int
    ) -> list[Tokens | EncodeError]:
        """Raises BundleError: a text alone has no vector here."""
        raise BundleError(
            f"encoder {self.manifest.name!r} is of kind {self.manifest.kind!r}: it scores pairs of"
            " a query and a text, and gives no vector of a text; ask it to score or to rank"
        )
