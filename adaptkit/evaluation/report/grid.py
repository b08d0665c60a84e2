"""Results arranged by language and condition, with the means that the report shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from adaptkit.errors import ConfigError
from adaptkit.evaluation.results import CONDITIONS, Cell, Condition, Contrast, TransferResults
from adaptkit.scores import Difference

_MOST_TELLING: tuple[Condition, ...] = ("stack", "target", "relative", "source")


@dataclass(frozen=True)
class Score:
    """Mean over seeds and the sample standard deviation, which one seed does not have."""

    mean: float
    sd: float | None
    n_seeds: int


@dataclass(frozen=True)
class LanguageMean:
    """A plain mean over languages. It has no interval: that would need the examples."""

    mean: float
    n_languages: int


class Grid:
    """Conditions stand in the order of `CONDITIONS`, languages in that of the results, or sorted: `in_order`.

    Raises:
        ConfigError: There is no cell, two for one place, a metric twice, or a comparison of what has no cell.
    """

    def __init__(self, results: TransferResults) -> None:
        self.results = results
        self._cells = {(cell.language, cell.condition): cell for cell in results.cells}
        self._differences = {_place(comparison): comparison.difference for comparison in results.comparisons}
        self._check()
        self.languages = tuple(dict.fromkeys(cell.language for cell in results.cells))
        self.conditions = tuple(c for c in CONDITIONS if any(c == cell.condition for cell in results.cells))
        self.compared = tuple(
            c for c in self.conditions if any((name, c, "none") in self._differences for name in self.languages)
        )

    def cell(self, language: str, condition: Condition) -> Cell | None:
        """What was measured there, if anything was."""
        return self._cells.get((language, condition))

    def together(self, language: str, condition: Condition) -> str:
        """The language adapters that were measured there together; empty where it was one, or none."""
        cell = self.cell(language, condition)
        return "" if cell is None else cell.together

    def score(self, language: str, condition: Condition, metric: str) -> Score | None:
        """The mean over seeds."""
        cell = self.cell(language, condition)
        values = cell.scores.get(metric, ()) if cell else ()
        if not values:
            return None
        return Score(fmean(values), stdev(values) if len(values) > 1 else None, len(values))

    def gain(self, language: str, condition: Condition) -> Difference | None:
        """The difference to the same language without a language adapter."""
        return self._differences.get((language, condition, "none"))

    @property
    def gains(self) -> tuple[Difference, ...]:
        """All of them, for bounds and counts."""
        return tuple(d for (_, _, against), d in self._differences.items() if against == "none")

    @property
    def other_comparisons(self) -> tuple[Contrast, ...]:
        """Those that are not against `none`."""
        return tuple(comparison for comparison in self.results.comparisons if comparison.against != "none")

    @property
    def missing(self) -> tuple[tuple[str, Condition], ...]:
        """Places without a cell."""
        every = ((language, condition) for language in self.languages for condition in self.conditions)
        return tuple(place for place in every if place not in self._cells)

    @property
    def telling(self) -> tuple[Condition, ...]:
        """The compared conditions, the one that a reader asks about first."""
        return tuple(sorted(self.compared, key=_MOST_TELLING.index))

    @property
    def by_gain(self) -> tuple[str, ...]:
        """Languages with a gain, the largest first, by the most telling condition."""
        telling = self.telling

        def key(language: str) -> tuple[float, ...]:
            found = (self.gain(language, condition) for condition in telling)
            return tuple(-gain.mean if gain else float("inf") for gain in found)

        measured = [name for name in self.languages if any(self.gain(name, condition) for condition in telling)]
        return tuple(sorted(measured, key=key))

    @property
    def in_order(self) -> tuple[str, ...]:
        """All languages in the one order of charts and tables: those with a gain, then the others."""
        return tuple(dict.fromkeys((*self.by_gain, *self.languages)))

    @property
    def with_every_gain(self) -> tuple[str, ...]:
        """Languages under every compared condition: only over these are averages of conditions comparable."""
        return tuple(name for name in self.languages if all(self.gain(name, c) for c in self.compared))

    def with_every_score(self, metric: str) -> tuple[str, ...]:
        """Languages measured under every condition, for the same reason."""
        return tuple(name for name in self.languages if all(self.score(name, c, metric) for c in self.conditions))

    def average_score(self, languages: Sequence[str], condition: Condition, metric: str) -> LanguageMean | None:
        """The mean of the languages' means."""
        found = [score.mean for name in languages if (score := self.score(name, condition, metric))]
        return LanguageMean(fmean(found), len(found)) if found else None

    def average_gain(self, languages: Sequence[str], condition: Condition) -> LanguageMean | None:
        """The mean of the gains of those languages that have one."""
        found = [gain.mean for name in languages if (gain := self.gain(name, condition))]
        return LanguageMean(fmean(found), len(found)) if found else None

    def _check(self) -> None:
        if not self._cells:
            raise ConfigError("the results hold no cell: there is nothing to report.")
        if len(set(self.results.metrics)) != len(self.results.metrics):
            raise ConfigError("the results name a metric twice; a report shows it once.")
        if len(self._cells) != len(self.results.cells):
            raise ConfigError("the results hold two cells for one language and condition; a report shows one.")
        if len(self._differences) != len(self.results.comparisons):
            raise ConfigError("the results hold one comparison twice; a report shows one.")
        for language, condition, against in self._differences:
            for side in (condition, against):
                if (language, side) not in self._cells:
                    raise ConfigError(f"{language!r} is compared under {side!r}, where it has no cell.")


def _place(comparison: Contrast) -> tuple[str, Condition, Condition]:
    return comparison.language, comparison.condition, comparison.against
