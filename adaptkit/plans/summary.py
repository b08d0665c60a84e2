"""What a plan came to: an outcome for each training, as a table, a page and JSON."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adaptkit.format.folder import whole_file
from adaptkit.plans.outcome import Came, Outcome
from adaptkit.plans.page import page
from adaptkit.terminal.amounts import counted
from adaptkit.terminal.json_values import as_json

SUMMARY, PAGE = "summary.json", "summary.html"
VERSION = 1
_ORDER: tuple[Came, ...] = ("trained", "was done", "failed", "interrupted", "not begun", "left out")
_OF_SEVERAL: Mapping[Came, str] = {"was done": "done before"}
"""What reads wrong behind a number."""


@dataclass(frozen=True, kw_only=True)
class PlanSummary:
    """What a plan came to. `elapsed_s` is what this run of it took; `folder` has the page, JSON and logs."""

    plan: Path
    folder: Path
    outcomes: tuple[Outcome, ...]
    elapsed_s: float
    at_once: int

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self.outcomes)

    def __getitem__(self, id_: str) -> Outcome:
        """What came of a training, by its id; KeyError for others."""
        return {outcome.id: outcome for outcome in self.outcomes}[id_]

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Those that this run was to train and that have no adapter, whatever the reason."""
        return tuple(outcome for outcome in self.outcomes if outcome.is_missing)

    @property
    def headline(self) -> str:
        """How many of what came."""
        counts = {came: sum(outcome.came == came for outcome in self.outcomes) for came in _ORDER}
        told = ", ".join(f"{count} {_OF_SEVERAL.get(came, came)}" for came, count in counts.items() if count)
        return f"{self.plan.name}: {counted(len(self.outcomes), 'adapter')}, {told}"

    def __str__(self) -> str:
        return "\n".join([self.headline, *map(_line, self.outcomes)])

    def save(self) -> None:
        """Write page and JSON into `folder`.

        Raises:
            CannotWrite: As on a full disk.
        """
        with whole_file(self.folder / SUMMARY) as partial:
            partial.write_text(json.dumps(as_json(self.as_json()), indent=1, allow_nan=False) + "\n", encoding="utf-8")
        with whole_file(self.folder / PAGE) as partial:
            partial.write_text(page(self.headline, self.outcomes, self.elapsed_s, self.at_once), encoding="utf-8")

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        outcomes = [
            {**asdict(it), "folder": str(it.folder), "log": None if it.log is None else str(it.log)}
            for it in self.outcomes
        ]
        return {
            "version": VERSION,
            "plan": str(self.plan),
            "elapsed_s": self.elapsed_s,
            "at_once": self.at_once,
            "outcomes": outcomes,
        }


def _line(outcome: Outcome) -> str:
    if (learned := outcome.learned) is not None and outcome.is_done:
        return (
            f"{outcome.id}: {outcome.came}; held-out loss {learned.heldout_loss_before:.3f} before, "
            f"{learned.heldout_loss_after:.3f} after; in {outcome.folder}"
        )
    return f"{outcome.id}: {outcome.came}{f'; {outcome.error}' if outcome.error else ''}"
