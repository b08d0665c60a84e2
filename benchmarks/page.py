"""`python -m benchmarks.page`: write docs/benchmarks.md and its plots from the newest results."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.results_files import Result, all_results

DOCS = Path(__file__).parents[1] / "docs"
PLOTS = "benchmarks"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """One column: its title, and what it says of a row."""

    title: str
    key: str
    form: Callable[[float], str]
    note: str = ""
    """The key of a word that stands behind the number."""

    def of(self, row: Row) -> str:
        """What the row's cell holds: nothing where the row does not have the number."""
        if self.key not in row:
            return ""
        return self.form(row[self.key]) + (f" ({row[self.note]})" if self.note in row else "")


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _gib(value: float) -> str:
    return f"{value / 2**30:.2f}"


def _times(value: float) -> str:
    return f"{value:.2f} x"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


_SPEED = (Column("speed over peft fp32", "speed_over_peer", _times),)
_MEMORY = (
    Column("peak memory (GiB)", "peak_memory_bytes", _gib),
    Column("memory over peft fp32", "memory_over_peer", lambda value: f"{value:.3f}"),
)
_LANGUAGE = (
    Column("tokens/s", "tokens_per_s", _count),
    *_SPEED,
    *_MEMORY,
    Column("held-out loss", "heldout_loss", lambda value: f"{value:.2f}"),
    Column("of the roofline", "share_of_roofline", _percent, note="computed_in"),
    # Older results say it of bf16, whatever a contestant computed in.
    Column("of the bf16 roofline", "share_of_bf16_roofline", _percent),
)


@dataclass(frozen=True)
class Section:
    """A section with a table of the newest result of a case."""

    title: str
    text: str
    case: str
    columns: tuple[Column, ...]
    wanted: Callable[[Mapping[str, Any]], bool] = lambda _config: True


TABLES = (
    Section(
        "Training a language adapter",
        "Masked language modelling on Swahili news, 16 sentences a step, LoRA of rank 8 at all linear layers "
        "(AdapterHub: bottlenecks with invertible layers). The held-out loss is the cross-entropy of masked tokens "
        "over the corpus vocabulary after the same number of steps (of the row with the full vocabulary, over all of "
        "it), on some 500 tokens: differences of a tenth say nothing.",
        "mlm_training",
        _LANGUAGE,
        lambda config: config.get("full_length") is False,
    ),
    Section(
        "The same at full length",
        "16 rows of 128 tokens in every step.",
        "mlm_training",
        _LANGUAGE,
        lambda config: config.get("full_length") is True,
    ),
    Section(
        "Training a task adapter",
        "TaxiNLI, 32 pairs a step, LoRA of rank 8 at all linear layers with a head; accuracy on 500 held-out pairs "
        "after the same number of steps.",
        "task_training",
        (
            Column("pairs/s", "pairs_per_s", lambda value: f"{value:.1f}"),
            *_SPEED,
            *_MEMORY,
            Column("held-out accuracy", "heldout_accuracy", _percent),
        ),
    ),
)


@dataclass(frozen=True)
class Curve:
    """A plot of one curve of the case `growth`."""

    name: str
    x: str
    y: str
    key: str
    unit: float = 1.0


CURVES = (
    Curve("length", "tokens in a sequence", "tokens/s of training", "tokens_per_s"),
    Curve("length", "tokens in a sequence", "peak memory of training (GiB)", "peak_memory_bytes", 2**30),
    Curve("vocabulary", "sentences of corpus", "peak memory of training (GiB)", "peak_memory_bytes", 2**30),
    Curve("rank", "rank", "peak memory of training (GiB)", "peak_memory_bytes", 2**30),
    Curve("attached", "adapters attached", "ms for 64 rows under up to 64 adapters", "batch_s", 1e-3),
    Curve("attached", "adapters attached", "µs to activate a stack", "activate_s", 1e-6),
)


def main() -> None:
    results = all_results()
    parts = [
        "# Benchmarks",
        "Written by `python -m benchmarks.page` from the newest files in `benchmarks/results/`; what was tried on the "
        "way, and what did not work, is in [the history](../benchmarks/HISTORY.md). Ratios are between contestants of "
        "one run on the same input, each in a process of its own. To run it all again: `make bench`, or "
        "`make bench-peers` with AdapterHub's library in an environment of its own; `make bench-compare` says what "
        "changed.",
    ]
    for table in TABLES:
        found = _newest(results, table.case, table.wanted)
        if found is not None:
            text = f"{table.text} {_length(found.content['config'])}"
            parts += [f"## {table.title}", text, _origin(found), _table(table.columns, found.content["measured"])]
    serving = _newest(results, "serving", lambda config: not config["bf16"])
    if serving is not None:
        parts += [
            "## Serving",
            "LoRA of rank 8, fp32; time over that of the library's own bare backbone.",
            _origin(serving),
        ]
        parts.append(_serving(serving.content["measured"]))
    growth = _newest(results, "growth")
    if growth is not None:
        parts += ["## How cost grows", _origin(growth), *_plots(growth.content["measured"])]
    (DOCS / "benchmarks.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _newest(
    results: list[Result], case: str, wanted: Callable[[Mapping[str, Any]], bool] = lambda _config: True
) -> Result | None:
    found = [result for result in results if result.content["case"] == case and wanted(result.content["config"])]
    return found[-1] if found else None


def _origin(result: Result) -> str:
    hardware, versions = result.content["hardware"], result.content["versions"]
    packages = ", ".join(f"{name} {versions[name]}" for name in ("torch", "transformers", "peft"))
    return (
        f"*{result.content['date'][:10]}, commit {result.content['commit'][:7]}; {hardware['cores']} cores "
        f"({hardware['cpu']}), {packages}; `benchmarks/results/{result.name}`.*"
    )


def _length(config: Mapping[str, Any]) -> str:
    runs = "one run" if config["repeats"] == 1 else f"medians of {config['repeats']} runs"
    return f"{config['steps']} steps, {runs}."


def _table(columns: tuple[Column, ...], rows: Mapping[str, Row]) -> str:
    contestants = {name: row for name, row in rows.items() if "elapsed_s" in row}
    columns = tuple(column for column in columns if any(column.key in row for row in contestants.values()))
    lines = ["| | " + " | ".join(column.title for column in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(column.of(row) for column in columns) + " |" for name, row in contestants.items()
    ]
    return "\n".join(lines)


def _serving(measured: Mapping[str, Row]) -> str:
    names = [name for name in measured["adaptkit"] if name.endswith(", over bare")]
    lines = ["| rows x tokens: stacks | adaptkit | peft |", "|---|---|---|"]
    for name in names:
        each = [
            f"{measured[library][name]:.2f}" if name in measured[library] else "" for library in ("adaptkit", "peft")
        ]
        lines.append(f"| {name.removesuffix(', over bare')} | {' | '.join(each)} |")
    return "\n".join(lines)


def _plots(curves: Mapping[str, Mapping[str, Row]]) -> list[str]:
    folder = DOCS / PLOTS
    folder.mkdir(exist_ok=True)
    told = []
    for curve in CURVES:
        if curve.name in curves:
            path = folder / f"{curve.name}-{curve.key.replace('_', '-')}.png"
            _plot(curve, curves[curve.name], path)
            told.append(f"![{curve.y} over {curve.x}]({PLOTS}/{path.name})")
    return told


def _plot(curve: Curve, points: Mapping[str, Row], path: Path) -> None:
    figure = Figure(figsize=(4.8, 2.9), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    values = [row[curve.key] / curve.unit for row in points.values()]
    axes.plot(list(points), values, marker="o")
    axes.set(xlabel=curve.x, ylabel=curve.y, ylim=(0, 1.15 * max(values)))
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
