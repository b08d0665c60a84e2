"""An adapter as the gallery shows it: words and numbers, without HTML."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from adaptkit.format.card import Evaluation
from adaptkit.format.listing import Listing
from adaptkit.languages import branches, language_name, script_name
from adaptkit.terminal.amounts import bytes_text
from adaptkit.terminal.plain_text import one_line

_LONGEST_NAME, _LONGEST_TEXT = 80, 240
_VERDICTS = {"helps": "▲", "hurts": "▼", "no evidence": "○"}


@dataclass(frozen=True)
class ShownScore:
    """A score on a card: the same test without and with the adapter, in points, and what the interval says."""

    test: str
    metric: str
    n_examples: int
    without: float
    within: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, score: Evaluation) -> "ShownScore":
        """That of a card."""
        test, metric = (one_line(text, at_most=_LONGEST_NAME) for text in (score.task, score.metric))
        return cls(test, metric, score.n_examples, score.score_without, score.score_with, score.low, score.high)

    @property
    def gain(self) -> str:
        """`+15.7`."""
        return f"{self.within - self.without:+.1f}"

    @property
    def interval(self) -> str:
        """`+9.3 to +22.1`; that there is none where the card has none."""
        return "no interval" if self.low is None or self.high is None else f"{self.low:+.1f} to {self.high:+.1f}"

    @property
    def verdict(self) -> str:
        """helps, hurts, or no evidence: also where there is no interval."""
        if self.low is not None and self.low > 0:
            return "helps"
        return "hurts" if self.high is not None and self.high < 0 else "no evidence"

    @property
    def mark(self) -> str:
        """Its verdict as a shape, for those who do not tell its colours apart."""
        return _VERDICTS[self.verdict]

    @property
    def widths(self) -> tuple[float, float]:
        """How long its two bars are, in percent of the longest that there may be."""
        return _percent(self.without), _percent(self.within)


@dataclass(frozen=True)
class ShownAdapter:
    """One row. `tests` are its tests without what they were run on, and the task type of its head.

    `place` is where it lies in the zoo, if another adapter there has the same id.
    """

    id: str
    name: str
    families: tuple[str, ...]
    scripts: tuple[str, ...]
    tests: tuple[str, ...]
    scores: tuple[ShownScore, ...]
    method: str
    backbone: str
    text: str
    licence: str
    size: str
    load: str
    place: str

    @classmethod
    def of(cls, listing: Listing, zoo: str, *, alone: bool = True) -> "ShownAdapter":
        """That of an adapter in a zoo; `zoo` is what its folder is called where it is loaded.

        `alone` says that no other one there has its id.

        Raises:
            AdapterFileError: What is wrong with its record or config.
        """
        languages, head = listing.languages, listing.facts.head
        tests = [score.task.partition(",")[0] for score in listing.scores]
        return cls(
            id=one_line(listing.id, at_most=_LONGEST_NAME),
            name=_name(listing),
            families=_once((branches(tag) or ("no known family",))[0] for tag in languages),
            scripts=_once(script_name(tag) for tag in languages),
            tests=_once([*tests, *([head] if head else [])]),
            scores=tuple(map(ShownScore.of, listing.scores)),
            method=one_line(listing.method, at_most=_LONGEST_NAME),
            backbone=one_line(listing.backbone, at_most=_LONGEST_NAME),
            text=one_line(listing.source, at_most=_LONGEST_TEXT) or "private",
            licence=one_line(listing.licence, at_most=_LONGEST_NAME),
            size=bytes_text(listing.size_bytes),
            load=_load(f"{zoo}/{listing.place}".rstrip("/"), listing),
            place="" if alone else one_line(listing.place, at_most=_LONGEST_NAME),
        )

    @property
    def choices(self) -> dict[str, str]:
        """What each filter looks for in it, as JSON."""
        found = {"family": self.families, "script": self.scripts, "task": self.tests}
        return {name: json.dumps(values, ensure_ascii=False) for name, values in found.items()}


def _name(listing: Listing) -> str:
    kind, _, name = listing.id.partition("/")
    named = ", ".join(map(language_name, listing.languages)) if kind == "language" else ""
    return one_line(named or name, at_most=_LONGEST_NAME)


def _load(place: str, listing: Listing) -> str:
    """Lines of Python that load it and use it. The escapes of JSON are those of Python for whatever one line holds."""
    use = "predict" if listing.facts.head else "encode"
    there = json.dumps(one_line(place), ensure_ascii=False)
    return f'adapter = adaptkit.load_adapter(\n  {there}\n)\nmodel.attach(adapter)\nmodel.{use}(["..."], stack=adapter)'


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one_line(name, at_most=_LONGEST_NAME) for name in names))


def _percent(score: float) -> float:
    return round(min(max(score, 0.0), 100.0), 1)
