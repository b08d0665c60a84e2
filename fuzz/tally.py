"""Counts of outcomes, and the findings as files."""

import hashlib
from collections import Counter
from pathlib import Path

from fuzz.outcome import Outcome

_MOST_TOLD = 20


class Tally:
    """What a run on one target has found so far. The same finding is kept once, by its smallest input."""

    def __init__(self, target: str, folder: Path) -> None:
        self.tried = 0
        self.accepted = 0
        self.found = 0
        self.refused: Counter[str] = Counter()
        self.findings: dict[str, int] = {}
        self._target = target
        self._folder = folder

    def add(self, data: bytes, outcome: Outcome) -> None:
        """Count one input, and keep it if it is a finding."""
        self.tried += 1
        if outcome.kind == "accepted":
            self.accepted += 1
        elif outcome.kind == "refused":
            self.refused[outcome.what] += 1
        else:
            self.found += 1
            self._keep(data, outcome)

    def _keep(self, data: bytes, outcome: Outcome) -> None:
        if len(data) < self.findings.get(outcome.detail, len(data) + 1):
            self.findings[outcome.detail] = len(data)
            name = hashlib.sha256(outcome.detail.encode("utf-8", "replace")).hexdigest()[:12]
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / f"{self._target}-{name}.bin").write_bytes(data)
            (self._folder / f"{self._target}-{name}.txt").write_text(outcome.story, "utf-8", "backslashreplace")

    def told(self, seconds: float) -> str:
        """The counts in a few lines."""
        refused = sum(self.refused.values())
        classes = ", ".join(f"{name} {count:,}" for name, count in self.refused.most_common())
        lines = [
            f"{self._target}: {self.tried:,} inputs in {seconds:,.0f} s, {self.accepted:,} accepted, "
            f"{refused:,} refused, {self.found:,} that found {len(self.findings)} things",
            *([f"  refused by {classes}"] if classes else []),
            *(f"  FOUND {detail} ({size:,} bytes)" for detail, size in list(self.findings.items())[:_MOST_TOLD]),
            *([f"  all findings are in {self._folder}"] if self.findings else []),
        ]
        return "\n".join(lines)
