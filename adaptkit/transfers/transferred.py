"""What came of a transfer: the ways that were tried, what they scored, and the stack to answer with."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from adaptkit.format.folder import whole_file
from adaptkit.languages import language_name
from adaptkit.scores import Difference
from adaptkit.transfers.ways import ALONE

RESULT = "transfer.json"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class MeasuredWay:
    """A way with its stack; `score` in points, and `gain` over the source language alone, None where unmeasured."""

    name: str
    stack: str
    score: float | None = None
    gain: Difference | None = None

    def __str__(self) -> str:
        if self.score is None:
            return f"  {self.name}: {self.stack}"
        gain = "" if self.gain is None else f", {self.gain}"
        return f"  {self.name}: {self.score:.1f}{gain}"


@dataclass(frozen=True, kw_only=True)
class TransferredTask:
    """A task in another language than that of its labels.

    Attributes:
        task: the name of the task.
        language: the language that it was brought to.
        folder: the zoo with all adapters, for `model.attach_zoo`.
        stack: what to answer with, for `model.predict(texts, stack=...)`.
        chosen: why that one, in a sentence.
        metric: by what the ways were measured; empty where there were no examples to measure on.
        n_examples: how many there were.
        ways: all that was trained, from the simplest to the usual one.
        notes: what is to be known besides, such as that pairs look swapped.
    """

    task: str
    language: str
    folder: Path
    stack: str
    chosen: str
    metric: str
    n_examples: int
    ways: tuple[MeasuredWay, ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"{self.task} in {language_name(self.language)} ({self.language})"
        measured = f"{where}, {self.metric} on {self.n_examples:,} labelled examples:" if self.metric else f"{where}:"
        return "\n".join([measured, *map(str, self.ways), f"take: {self.stack}", f"  {self.chosen}", *self.notes])

    def save(self) -> None:
        """Write it into its folder, as `transfer.json`.

        Raises:
            CannotWrite: As on a full disk.
        """
        content = {"version": VERSION, **asdict(self), "folder": str(self.folder)}
        with whole_file(self.folder / RESULT) as partial:
            partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def was_measured(folder: Path) -> bool:
    """Whether a folder has a result with scores."""
    file = folder / RESULT
    try:
        return file.is_file() and bool(json.loads(file.read_text(encoding="utf-8"))["metric"])
    except (ValueError, KeyError, TypeError):
        return False


def chosen_of(
    ways: Sequence[MeasuredWay], over_usual: Sequence[Difference | None], *, known: bool = True
) -> tuple[MeasuredWay, str]:
    """The way to take, and why: the usual one, unless another is better on the examples with an interval above zero.

    `over_usual` is what each gains over the usual way, the last; few labelled examples are not to outweigh what was
    measured in many languages. `known` says whether the usual way was measured for such a task.
    """
    usual, elsewhere = ways[-1], "was best in other languages" if known else "is the usual one for such tasks"
    if usual.score is None:
        return usual, f"not measured here, for want of labelled examples; it {elsewhere}"
    better = [(way, gain) for way, gain in zip(ways, over_usual, strict=True) if gain is not None and gain.low > 0]
    if not better:
        return usual, f"it {elsewhere}, and nothing is surely better here{_but_less_here(usual)}"
    best, gain = max(better, key=lambda each: each[1].mean)
    return best, (
        f"{gain.mean:.1f} points better here than {usual.name} ({gain.low:.1f} to {gain.high:.1f}); it was chosen by "
        f"these examples, so its score is a little too good{_but_less_here(best)}"
    )


def _but_less_here(way: MeasuredWay) -> str:
    """What there is to say of a way that scored less than the source language alone."""
    if way.gain is None or way.gain.mean >= 0:
        return ""
    return (
        f"; but on these examples it scored {-way.gain.mean:.1f} points less than {ALONE} ({way.gain.low:+.1f} to "
        f"{way.gain.high:+.1f}): look at the text, and measure on more examples"
    )
