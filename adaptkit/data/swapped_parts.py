"""Sources whose two sides look swapped; of several files in one source, which ones."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain

from adaptkit.data.direction import Direction, direction_of
from adaptkit.data.part import Part
from adaptkit.data.sentence import Sentence
from adaptkit.errors import ConfigError

_MOST_NAMED = 3


def swapped_parts(
    parts: Sequence[Part], rows: Sequence[Sentence], known: Collection[str] = frozenset(), likely: str | None = None
) -> Iterator[str]:
    """Sources, or their files, that look swapped; `known` are words of the translations' language, `likely` is which.

    Both are as in `Direction`.

    Raises:
        ConfigError: They surely are, in a source, or one of its files, that names no languages.
        MalformedText: As `rows` would be, had they been read to the end.
    """
    for number, part in enumerate(parts):
        if part.of_names:  # by their codes it is known which is which
            continue
        for name, direction in _directions(part, (row for row in rows if row.part == number), known, likely):
            if (refusal := direction.refusal()) is not None:
                raise ConfigError(f"{name}: {refusal}")
            if (problem := direction.problem()) is not None:
                yield f"{name}: {problem}"


def swapped_in(part: Part, rows: Iterable[Sentence]) -> str | None:
    """What is to be said of a source whose sides look swapped, or of those of its files; None where nothing shows that.

    Raises:
        MalformedText: As `rows` would be, had they been read to the end.
    """
    looked_at = [(name, direction.problem()) for name, direction in _directions(part, rows)]
    found = [(name, problem) for name, problem in looked_at if problem is not None]
    if not found:
        return None
    names = [name for name, _ in found]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    named = part.name if len(found) == len(looked_at) else f"{', '.join(names[:_MOST_NAMED])}{more}"
    return f"{named}: {found[0][1]}"


def _directions(
    part: Part, rows: Iterable[Sentence], known: Collection[str] = frozenset(), likely: str | None = None
) -> Iterator[tuple[str, Direction]]:
    """The direction of the rows of a part, or, where it has several files, of the first of each; and what it is of."""
    whole = [(part.name, part.order, iter(rows))] if not part.pieces else []
    pieces = (
        (piece.description, piece.order, (Sentence(sentence, translation) for translation, sentence in piece.pairs()))
        for piece in part.pieces
    )
    for name, order, own in chain(whole, pieces):
        direction = direction_of(own, part.language, part.source_language, known, likely, order)
        if direction is not None:
            yield name, direction
