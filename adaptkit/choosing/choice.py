"""What `choose_backbone` found: candidates in order, with reasons; prints as a table of 80 columns."""

import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from adaptkit.choosing.amount import gigabytes
from adaptkit.choosing.candidate import Candidate
from adaptkit.choosing.ranking import RULES, few, recommendation
from adaptkit.languages import language_name

_WIDTH = 80
_NAME = 30
_HEADING = f"    {'backbone':<{_NAME}} {'unknown':>7} {'tok/w':>5} {'M par.':>6} {'memory':>11} {'sent/s':>6}"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Candidates, the best first, and what is to be said of all of them.

    `language` is a canonical tag, `memory_bytes` what was named, `text` says what was read in the language, and
    `decided_by` what sets the first before the second.
    """

    language: str
    task: str | None
    memory_bytes: int | None
    text: str
    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...] = ()
    decided_by: str = ""

    @property
    def best(self) -> Candidate:
        """The first."""
        return self.candidates[0]

    @property
    def recommendation(self) -> str:
        """What to take, in a sentence."""
        taken = recommendation(self.best, self.memory_bytes)
        return f"{taken} {self.decided_by}" if self.decided_by and self.best.usable else taken

    def as_json(self) -> Mapping[str, Any]:
        """All of it as plain values."""
        plain = asdict(self)
        return {**plain, "recommendation": self.recommendation, "rules": RULES}

    def __str__(self) -> str:
        task = f", {self.task}" if self.task else ""
        memory = f", within {gigabytes(self.memory_bytes)}" if self.memory_bytes else ""
        probed = any(candidate.probe for candidate in self.candidates)
        lines = [
            _wrapped(f"For {language_name(self.language)} ({self.language}){task}{memory}; text: {self.text}", ""),
            "",
            _HEADING + (f" {'probe':>5}" if probed else ""),
            *(_row(number, candidate, probed) for number, candidate in enumerate(self.candidates, start=1)),
        ]
        lines += ["", _wrapped(self.recommendation, "")]
        for number, candidate in enumerate(self.candidates, start=1):
            lines += ["", f"{number}. {candidate.name}", *(_wrapped(reason) for reason in candidate.reasons)]
        lines += ["", *(_wrapped(note, "") for note in (*self.notes, f"Order: {RULES}"))]
        return "\n".join(lines)


def _row(number: int, candidate: Candidate, probed: bool) -> str:
    name = candidate.name if len(candidate.name) <= _NAME else f"…{candidate.name[1 - _NAME :]}"
    coverage, size, speed, probe = candidate.coverage, candidate.size, candidate.speed, candidate.probe
    if candidate.problem is not None:
        return f"{number:>2}. {name:<{_NAME}} cannot be taken, see below"
    bits = candidate.bits or 32
    cells = (
        f"{'–' if coverage is None else f'{coverage.unknown_share:.1%}':>7}",
        f"{'–' if coverage is None else f'{coverage.tokens_per_word:.1f}':>5}",
        f"{'–' if size is None else f'{size.parameters / 1e6:,.0f}':>6}",
        f"{'–' if size is None else f'{gigabytes(size.memory[bits])}/{bits}':>11}",
        f"{'–' if speed is None else f'{few(speed.sentences_per_s)}':>6}",
        *([f"{'–' if probe is None else f'{probe.score:.1f}':>5}"] if probed else []),
    )
    return f"{number:>2}. {name:<{_NAME}} {' '.join(cells)}"


def _wrapped(text: str, indent: str = "   ") -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
