"""Where in a sentence an entity of its translation stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from adaptkit.projection.copies import CONFIDENCES, How, has_capital, is_in_small_letters, likeness, plain
from adaptkit.projection.entities import Span

_SAME = CONFIDENCES["marks"]
_MOST_MORE_WORDS = 2
_MOST_BETWEEN = 2
"""Words between the parts of an entity that are of it: `Chuo Kikuu cha Nairobi`."""
_LEAST_OF_ITS_WORDS = 0.5

Links = Mapping[int, tuple[int, float]]
"""For a word of one sentence, the word of the other that it is linked with, and how sure that is."""


@dataclass(frozen=True)
class Placed:
    """Where an entity was found, how sure that is (0 to 1), and by what."""

    span: Span
    confidence: float
    how: How


def copies_of(entity: Span, ours: Sequence[str], theirs: Sequence[str]) -> list[Placed]:
    """The copies of an entity of one sentence in the other, none where there is none.

    All that are the same but for capitals and marks; else the one that is most like it.
    """
    name = _joined(ours, entity)
    if not plain(name):
        return []
    found = [
        Placed(span, *like)
        for span in spans_like(entity, len(entity), len(theirs))
        if (like := likeness(name, _joined(theirs, span))) is not None
    ]
    # Of spans that are as like, the shortest: `Kenya` and not `Kenya ,`.
    found.sort(key=lambda placed: (-placed.confidence, len(placed.span), placed.span.start))
    same = [placed for placed in found if placed.confidence >= _SAME]
    return _apart(same) if same else found[:1]


def linked_place(entity: Span, ours: Sequence[str], theirs: Sequence[str], links: Links) -> Placed | None:
    """The place of an entity by the links of its words; None where too few are linked, or they are torn apart."""
    own = {word: links[word] for word in range(entity.start, entity.end) if word in links}
    counted = [word for word in range(entity.start, entity.end) if _counts(ours[word])]
    if not own or not counted or len(own) < _LEAST_OF_ITS_WORDS * len(counted):
        return None
    places = sorted(place for place, _ in own.values())
    span = Span(places[0], places[-1] + 1, entity.kind)
    foreign = {place for word, (place, _) in links.items() if word not in own}
    gaps = [after - before - 1 for before, after in pairwise(places)]
    if any(gap > _MOST_BETWEEN for gap in gaps) or foreign.intersection(range(span.start, span.end)):
        return None
    named = _joined(theirs, span)
    if not plain(named) or (has_capital(_joined(ours, entity)) and is_in_small_letters(named)):
        return None
    share = min(1.0, len(own) / len(counted))
    sure = sum(confidence for _, confidence in own.values()) / len(own)
    return Placed(span, sure * share**0.5, "states")


def without_overlaps(placed: Sequence[Sequence[Placed]]) -> list[Placed] | None:
    """The places of all entities of a sentence; None where two of them want one word.

    Entities of one type at one place are one.
    """
    chosen = {found.span: found for found in chain.from_iterable(placed)}
    ordered = sorted(chosen)
    if any(before.overlaps(after) for before, after in pairwise(ordered)):
        return None
    return [chosen[span] for span in ordered]


def untold_copies(ours: Sequence[str], theirs: Sequence[str], spans: Sequence[Span]) -> Iterator[str]:
    """Words with a capital letter that both sentences have and no entity holds: names that were missed, most likely."""
    told = {place for span in spans for place in range(span.start, span.end)}
    there = set(theirs[1:])
    for place, word in enumerate(ours):
        if place and place not in told and word in there and word[0].isupper() and len(plain(word)) > 1:
            yield word


def spans_like(entity: Span, n_own: int, n_words: int) -> Iterator[Span]:
    """All spans in a sentence of so many words that are about as long as an entity's name, which has `n_own`."""
    shortest, longest = max(1, n_own - 1), n_own + _MOST_MORE_WORDS
    for length in range(shortest, longest + 1):
        yield from (Span(start, start + length, entity.kind) for start in range(n_words - length + 1))


def _apart(found: Sequence[Placed]) -> list[Placed]:
    """Of those that overlap, the first."""
    kept: list[Placed] = []
    for placed in found:
        if not any(placed.span.overlaps(other.span) for other in kept):
            kept.append(placed)
    return kept


def _joined(words: Sequence[str], span: Span) -> str:
    return " ".join(words[span.start : span.end])


def _counts(word: str) -> bool:
    """Whether a word of a name is one to be found: no `of`, no hyphen."""
    return bool(plain(word)) and (not word.islower() or len(word) > 3)
