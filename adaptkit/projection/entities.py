"""Entities as spans of words, from tags in BIO and back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adaptkit.data.tasks.tag_schemes import OUTSIDE


@dataclass(frozen=True, order=True)
class Span:
    """The words from `start` up to `end`, which is not in it, and the type of entity that they are: PER."""

    start: int
    end: int
    kind: str

    def __len__(self) -> int:
        return self.end - self.start

    def overlaps(self, other: "Span") -> bool:
        """Whether they share a word."""
        return self.start < other.end and other.start < self.end


def spans_of(tags: Sequence[str]) -> list[Span]:
    """The entities of a sentence; an `I-` that continues nothing begins one."""
    found: list[Span] = []
    for place, tag in enumerate(tags):
        mark, _, kind = tag.partition("-")
        goes_on = bool(found) and found[-1].end == place and found[-1].kind == kind and mark == "I"
        if goes_on:
            found[-1] = Span(found[-1].start, place + 1, kind)
        elif tag != OUTSIDE:
            found.append(Span(place, place + 1, kind))
    return found


def tags_of(spans: Iterable[Span], n_words: int) -> tuple[str, ...]:
    """The tags of a sentence of so many words with these entities."""
    tags = [OUTSIDE] * n_words
    for span in spans:
        tags[span.start : span.end] = [f"B-{span.kind}", *[f"I-{span.kind}"] * (len(span) - 1)]
    return tuple(tags)
