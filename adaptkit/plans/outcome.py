"""What came of a training of a plan."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from adaptkit.errors import AdapterFileError
from adaptkit.format.card import Evaluation
from adaptkit.format.folder import Folder
from adaptkit.format.record import read_record
from adaptkit.format.spec import CONFIG_FILE, WEIGHTS_FILE

Came: TypeAlias = Literal["trained", "was done", "failed", "interrupted", "not begun", "left out"]
"""`was done`: by another run of the plan. `not begun`: it builds on what failed, or the plan was stopped before it."""


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What the card of an adapter says of its training; times in seconds, sizes in bytes."""

    objective: str
    heldout_loss_before: float
    heldout_loss_after: float
    steps: int
    elapsed_s: float
    tokens_per_s: float
    peak_memory_bytes: int
    size_bytes: int
    stopped_because: str
    hardware: str
    licence: str
    source: str
    scores: tuple[Evaluation, ...] = ()

    @property
    def gain(self) -> float:
        """The share by which the held-out loss fell."""
        before = self.heldout_loss_before
        return 0.0 if before == 0 else (before - self.heldout_loss_after) / before


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one training; `elapsed_s` is its process from start to end, and `error` what stopped it."""

    id: str
    came: Came
    folder: Path
    elapsed_s: float = 0.0
    error: str = ""
    log: Path | None = None
    learned: Learned | None = None

    @property
    def is_done(self) -> bool:
        """Whether its adapter is there."""
        return self.came in ("trained", "was done")

    @property
    def is_missing(self) -> bool:
        """Whether its adapter is not there, and this run was to make it."""
        return self.came in ("failed", "interrupted", "not begun")


def learned_in(folder: Path) -> Learned | None:
    """What the card in an adapter's folder says; None where there is none, or it says nothing of a training."""
    files = Folder(folder)
    try:
        record = read_record(files)
        size = files.size(CONFIG_FILE if record.glossary_sha256 else WEIGHTS_FILE)  # words stand in the config
    except (AdapterFileError, OSError):
        return None
    card, facts = record.card, record.card.training
    if facts is None:
        return None
    return Learned(
        objective=facts.objective,
        heldout_loss_before=facts.heldout_loss_before,
        heldout_loss_after=facts.heldout_loss_after,
        steps=facts.steps,
        elapsed_s=facts.elapsed_s,
        tokens_per_s=facts.tokens_per_s,
        peak_memory_bytes=facts.peak_memory_bytes,
        size_bytes=size,
        stopped_because=facts.stopped_because,
        hardware=facts.hardware,
        licence=card.licence,
        source=card.source,
        scores=card.evaluations,
    )
