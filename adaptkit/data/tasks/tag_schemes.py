"""The schemes in which entities are tagged, recognised over all tags of some data and brought to BIO.

| scheme | tags | becomes BIO by |
|---|---|---|
| BIO (IOB2) | `B-PER I-PER O` | nothing |
| IOB1 | `I-PER O`; `B-PER` behind another PER | `B-` where an `I-` continues nothing |
| IOBES, BMES | also `S-`, `E-`, `M-` | `S-` is `B-`, `E-` and `M-` are `I-` |
| BILOU | also `U-`, `L-` | `U-` is `B-`, `L-` is `I-` |
| IO | `PER O` | neighbouring words of one type are one entity |
| any of them without types | `B I O` | the type is called `ENTITY` |

Tags without marks and without any `O` (parts of speech) are no entities and stay as they are.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Literal, Protocol, TypeAlias

from adaptkit.data.tasks.examples import Example, TaskData
from adaptkit.data.tasks.labelled_row import LabelledRow
from adaptkit.errors import AdaptkitError, ConfigError
from adaptkit.terminal.amounts import row_of

OUTSIDE = "O"
UNTYPED = "ENTITY"

_Scheme: TypeAlias = Literal["BIO", "IOBES", "BMES", "BILOU", "IO", "marks without types", "no entities"]
_Wrong: TypeAlias = Callable[[str, str], AdaptkitError]
_Parsed: TypeAlias = tuple[str, str]

_MARKS = "BIESMUL"
_MARKED = re.compile(f"([{_MARKS}])-(.+)", re.DOTALL)
# What others write for B-PER.
_RESEMBLING = re.compile(rf"([{_MARKS}])[_.:/|].+|.+[-_]([{_MARKS}])|([{_MARKS.lower()}])[-_].+", re.DOTALL)
_ONE_SCHEME = (
    "tags of one scheme: a mark before each type and O for other words (BIO: B-PER, I-PER, O; or IOBES, or BILOU), or "
    "types alone and O (PER, O). Write the tags of one kind as the others are"
)


class Tagged(Example, Protocol):
    """Words with a tag each."""

    @property
    def words(self) -> tuple[str, ...]:
        """In their order."""
        ...

    @property
    def tags(self) -> tuple[str, ...]:
        """One for each word."""
        ...


@dataclass
class TagsSeen:
    """The different tags of one reading, in the order in which they came, each with the word that had it first."""

    column: str = ""
    _first: dict[str, tuple[str, _Wrong]] = field(default_factory=dict)

    def add(self, sentence: Tagged, place: LabelledRow | int) -> None:
        """Take note of a sentence's tags; `place` is its row, or its index in a list of examples."""
        for index, (word, tag) in enumerate(zip(sentence.words, sentence.tags, strict=False)):
            if tag not in self._first:
                self._first[tag] = word, _wrong_at(place, index)
        if isinstance(place, LabelledRow):
            self.column = str(place.columns["tags"])

    def in_bio(self, data: TaskData, before: Sequence[Tagged]) -> TaskData:
        """The data that these tags are from with entities in BIO, and a note on what was done.

        `before` are all its examples.

        Raises:
            DataError, ConfigError: the tags are of several schemes, or of none that is known; it names the place of
                the first word that does not fit.

        """
        scheme = self._scheme()
        if scheme == "no entities":
            return replace(data, notes=(*data.notes, *self._kept_as_they_are()))
        after = [replace(example, tags=_bio(_parsed(tag, scheme) for tag in example.tags)) for example in before]
        notes = _notes(scheme, before, after)
        if not notes:
            return data
        return replace(data, examples=after, labels=_labels(data.labels, scheme), notes=(*data.notes, *notes))

    def are_no_entities(self) -> bool:
        """Whether there are tags, and they are those of no scheme: parts of speech, say."""
        return bool(self._first) and OUTSIDE not in self._first and self._scheme() == "no entities"

    def _scheme(self) -> _Scheme:
        marked = [tag for tag in self._first if _MARKED.fullmatch(tag)]
        bare = [tag for tag in self._first if tag not in marked and tag != OUTSIDE]
        # Among parts of speech, there may be one such as S-ADV.
        speech = bare and OUTSIDE not in self._first and not any(tag.startswith(("B-", "I-")) for tag in marked)
        if marked and not speech:
            return self._scheme_of_marks(marked, bare)
        self._refuse_resembling(bare)
        if speech or not bare:
            return "no entities"
        return "marks without types" if set(bare) <= set(_MARKS) and {"B", "I"} & set(bare) else "IO"

    def _scheme_of_marks(self, marked: Sequence[str], bare: Sequence[str]) -> _Scheme:
        iobes = [tag for tag in marked if tag[0] in "ESM"]
        bilou = [tag for tag in marked if tag[0] in "UL"]
        for one, other in ((marked, bare), (iobes, bilou)):
            if one and other:
                raise self._mixed(one, other)
        if bilou:
            return "BILOU"
        if not iobes:
            return "BIO"
        return "BMES" if any(tag[0] == "M" for tag in iobes) else "IOBES"

    def _mixed(self, one: Sequence[str], other: Sequence[str]) -> AdaptkitError:
        """The error at the first tag of the kind that came later."""
        seen = list(self._first)
        earlier, later = sorted((one[0], other[0]), key=seen.index)
        return self._wrong(later, f"{_word_of(self._first[later])} where another is tagged {earlier!r}", _ONE_SCHEME)

    def _refuse_resembling(self, bare: Sequence[str]) -> None:
        tags = [tag for tag in bare if tag != OUTSIDE.lower()]
        marks = [next(filter(None, found.groups())) for tag in tags if (found := _RESEMBLING.fullmatch(tag))]
        if len(marks) == len(tags) and {"B", "b"} & set(marks):
            expected = "the mark in front, in capitals, with a hyphen behind it, and O for other words: B-PER, I-PER, O"
            raise self._wrong(tags[0], _word_of(self._first[tags[0]]), expected)

    def _wrong(self, tag: str, word: str, expected: str) -> AdaptkitError:
        return self._first[tag][1](f"the tag {tag!r:.40} for {word}", expected)

    def _kept_as_they_are(self) -> Iterable[str]:
        if self.are_no_entities():
            named = "upos (the part of speech of each word)" if self.column == "upos" else "one for each word"
            yield f"tags: {named}, kept as they are; there is no {OUTSIDE} among them, so they are not entities"


def has_entities(labels: Iterable[str]) -> bool:
    """Tell whether tags in BIO are entities, and no parts of speech or the like."""
    return any(label == OUTSIDE or _MARKED.fullmatch(label) for label in labels)


def _wrong_at(place: LabelledRow | int, index: int) -> _Wrong:
    if isinstance(place, LabelledRow):
        return lambda found, expected: place.wrong_word(index, found, expected)
    return lambda found, expected: ConfigError(f"{row_of(place, 'examples')}: found {found}; expected {expected}.")


def _word_of(first: tuple[str, _Wrong]) -> str:
    return f"the word {first[0]!r:.40}"


def _parsed(tag: str, scheme: _Scheme) -> _Parsed:
    """Give mark and type; `O` has none."""
    if tag == OUTSIDE:
        return OUTSIDE, ""
    if scheme == "IO":
        return "I", tag
    if scheme == "marks without types":
        return tag, UNTYPED
    mark, _, entity = tag.partition("-")
    return mark, entity


def _bio(parsed: Iterable[_Parsed]) -> tuple[str, ...]:
    tags, goes_on = [], ""
    for mark, entity in parsed:
        if mark == OUTSIDE:
            tags.append(OUTSIDE)
        else:
            tags.append(f"{'I' if mark in 'IMEL' and entity == goes_on else 'B'}-{entity}")
        goes_on = entity if mark in "BIM" else ""
    return tuple(tags)


def _notes(scheme: _Scheme, before: Sequence[Tagged], after: Sequence[Tagged]) -> tuple[str, ...]:
    if scheme == "BIO":
        return _notes_on_bio(before, after)
    more = {
        "IO": "; neighbouring words of one type are one entity",
        "marks without types": f"; the entities have the type {UNTYPED}",
    }.get(scheme, "")
    return (f"tags: {scheme}, converted to BIO{more}",)


def _notes_on_bio(before: Sequence[Tagged], after: Sequence[Tagged]) -> tuple[str, ...]:
    changed = sum(
        old != new
        for one, other in zip(before, after, strict=True)
        for old, new in zip(one.tags, other.tags, strict=True)
    )
    if not changed:
        return ()
    if all(_is_iob1(example.tags) for example in before):
        return ("tags: IOB1, converted to BIO",)
    return (f"tags: BIO; {changed:,} I- tags that continue no entity were made B-",)


def _is_iob1(tags: Sequence[str]) -> bool:
    """Tell whether `B-` stands only where it parts two entities of one type."""
    return all(tag[:2] != "B-" or tag[2:] == before[2:] for before, tag in zip(("", *tags), tags, strict=False))


def _labels(labels: Sequence[str], scheme: _Scheme) -> tuple[str, ...]:
    """The labels that those of another scheme become, in their order."""
    parsed = (_parsed(label, scheme) for label in labels)
    in_bio = ([OUTSIDE] if mark == OUTSIDE else [f"B-{entity}", f"I-{entity}"] for mark, entity in parsed)
    return tuple(dict.fromkeys(chain.from_iterable(in_bio)))
