"""The ways to bring a task to a language: which heads are trained, and which stacks of them answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from adaptkit.composition import at_strength
from adaptkit.task_types import HeadConfig

ALONE = "the source language alone"
"""The way that all others are compared with: nothing of the language but the text that is read."""
_NUMBERS = {2: "two", 3: "three"}
_WEAK = (0.25, 0.5)
"""At these strengths adapters helped names in languages where they cost points at full strength."""


@dataclass(frozen=True)
class TaskHead:
    """A task adapter to be trained: on top of what, by id.

    `words` says whether it learns from examples with their words translated too, and `projected` whether from sentences
    of the language with names or parts of speech that were projected into them.
    """

    id: str
    below: tuple[str, ...] = ()
    words: bool = False
    projected: bool = False


@dataclass(frozen=True)
class Way:
    """One way to answer: a head under what it is read under, or several of these together.

    What lies below a head acts with that `strength`, 1 as it was trained.
    """

    name: str
    members: tuple[tuple[tuple[str, ...], TaskHead], ...]
    strength: float = 1

    @property
    def stack(self) -> str:
        """As `predict` takes it."""
        return " | ".join(" > ".join((*map(self._acting, below), head.id)) for below, head in self.members)

    def _acting(self, id_: str) -> str:
        return str(at_strength(id_, self.strength))


@dataclass(frozen=True)
class Ways:
    """All that there are for a task; the last is the one to take where nothing was measured.

    What was measured of it stands in docs/how-to/transfer.md. `words` says whether there are examples with their words
    translated, `sentences` whether there are sentences with translations, of which an adapter with layers learns, and
    `projected` whether names or parts of speech can be projected into them; `trained` is a language adapter that is
    there already, and `reads_pieces` says whether it brings pieces of text of its own, with which it acts
    at full strength alone.
    """

    task: str
    language: str
    head: HeadConfig
    words: bool
    sentences: bool = True
    projected: bool = True
    trained: str | None = None
    reads_pieces: bool = False

    @property
    def adapter(self) -> str:
        """The id of the language adapter with layers: the one that is `trained` already, or that of the language."""
        return self.trained or f"language/{self.language}"

    @property
    def glossary(self) -> str:
        """The id of the language's glossary."""
        return f"language/{self.language}-glossary"

    @property
    def has_adapter(self) -> bool:
        """Whether there is an adapter with layers, or text to train one on."""
        return self.sentences or self.trained is not None

    @property
    def reads_glosses(self) -> bool:
        """Whether the task is one that glossaries help: then heads alone are trained, one under each stack."""
        return self.head.reads_glosses

    @property
    def known(self) -> bool:
        """Whether the usual way was measured for such a task, in several languages."""
        measured = ("classification", "tagging", "pos") if self.has_adapter else ("classification",)
        return self.head.task_type in measured

    @cached_property
    def all(self) -> tuple[Way, ...]:
        """From the simplest to the one that is taken where nothing was measured."""
        alone = self.alone
        more = self._read_under_each(alone) if self.reads_glosses else self._on(alone)
        return (Way(ALONE, (((), alone),)), *more)

    @property
    def usual(self) -> Way:
        """The one to take where nothing was measured."""
        return self.all[-1]

    @property
    def alone(self) -> TaskHead:
        """The head of the source language's labels; it finds what is projected, too."""
        return self._head("source")

    def heads(self, ways: Sequence[Way]) -> tuple[TaskHead, ...]:
        """What these need, each once."""
        heads = [head for way in ways for _, head in way.members]
        return tuple(dict.fromkeys([*([self.alone] if any(head.projected for head in heads) else []), *heads]))

    def language_adapters(self, ways: Sequence[Way]) -> tuple[str, ...]:
        """The ids of the language adapters that these need."""
        return tuple(dict.fromkeys(id_ for way in ways for below, _ in way.members for id_ in below))

    def _read_under_each(self, alone: TaskHead) -> Iterator[Way]:
        members: list[tuple[tuple[str, ...], TaskHead]] = []
        if not self.has_adapter and self.words:
            members.append(((), self._translated))
            yield Way("translated words", (members[-1],))
        for name, short, below in self._stacks():
            members.append((below, self._head(short, below) if self.words else alone))
            yield Way(name, (members[-1],))
        if len(members) > 1:
            yield Way(f"these {_NUMBERS[len(members)]} together", tuple(members))

    def _stacks(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """What a text may be read under, each with its name and that of its head."""
        yield "the glossary", "glossary", (self.glossary,)
        if self.has_adapter:
            yield "the adapter", "adapter", (self.adapter,)
            yield "glossary and adapter", "both", (self.glossary, self.adapter)

    def _on(self, alone: TaskHead) -> Iterator[Way]:
        if not self.has_adapter:
            if self.words:
                yield Way("translated words", (((), self._translated),))
            return
        below = (self.adapter,)
        if self.head.row.averaged is not None:
            yield Way("without and with the adapter, together", (((), alone), (below, alone)))
        if not self.reads_pieces:
            yield from (Way(f"the adapter at strength {it:g}", ((below, alone),), strength=it) for it in _WEAK)
        yield Way("the adapter", ((below, alone),))
        if self.words and self.head.row.endpoint == "tag":
            yield from self._with_words(below)
        if self.head.task_type == "pos" and self.projects:
            tags = TaskHead(f"task/{self.task}-projected", projected=True)
            yield Way("projected parts of speech, without the adapter", (((), tags),))

    @property
    def projects(self) -> bool:
        """Whether there are sentences that something can be projected into."""
        return self.projected and self.sentences

    def _with_words(self, below: tuple[str, ...]) -> Iterator[Way]:
        words = self._head("words", below)
        yield Way("the adapter, trained on translated words too", ((below, words),))
        if any(tag != "O" and tag[:2] not in ("B-", "I-") for tag in self.head.labels):
            # Parts of speech: an adapter that was taught whole sentences costs some languages more than it brings.
            yield Way("translated words, without the adapter", (((), self._translated),))
        elif self.projects:
            names = replace(words, id=f"task/{self.task}-projected", projected=True)
            yield Way("the adapter, trained on translated words and projected names too", ((below, names),))

    @property
    def _translated(self) -> TaskHead:
        """The head of examples in both languages, with nothing below it."""
        return TaskHead(f"task/{self.task}-translated", words=True)

    def _head(self, short: str, below: tuple[str, ...] = ()) -> TaskHead:
        return TaskHead(f"task/{self.task}-{short}", below, words=bool(below) and self.words)
