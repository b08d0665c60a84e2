"""The examples that an adapter turned right or wrong, as text that Markdown and HTML render alike."""

from dataclasses import dataclass

from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.words import both_names, condition_name, plain
from adaptkit.evaluation.results import TurnedExample
from adaptkit.explanations.wording import signed
from adaptkit.terminal.amounts import counted

TITLE = "Examples that an adapter turned"
CHOICE = (
    "These are examples whose answer changed in the first seed; those that changed in most seeds come first. They "
    "are not a random sample: the tables say how much an adapter helps."
)
_MOST_WORDS = 6
_MARKS = {"right": "▲", "wrong": "▼"}


@dataclass(frozen=True)
class ShownExample:
    """One of them: what was turned into what, and the words that decided, strongest first."""

    turned: str
    line: str
    strongest: str
    example: TurnedExample


def groups(grid: Grid) -> list[tuple[str, list[ShownExample]]]:
    """By language and condition."""
    found: dict[str, list[ShownExample]] = {}
    for example in grid.results.turned:
        name = condition_name(example.condition, grid.results.source_language)
        found.setdefault(f"{both_names(example.language)}, {plain(name)}", []).append(_shown(grid, example))
    return list(found.items())


def _shown(grid: Grid, example: TurnedExample) -> ShownExample:
    seeds = f" in {example.seeds} of {counted(len(grid.results.seeds), 'seed')}" if len(grid.results.seeds) > 1 else ""
    right = f"; right is {example.gold}" if example.turned == "wrong" else ""
    return ShownExample(
        turned=f"{_MARKS[example.turned]} turned {example.turned}{seeds}",
        line=f"{example.before} → {example.after}{right}",
        strongest=_strongest(example),
        example=example,
    )


def _strongest(example: TurnedExample) -> str:
    """`for sports: mpira +3.26, ilishinda +1.91`."""
    words = sorted(example.words, key=lambda word: -abs(word.attribution))[:_MOST_WORDS]
    return f"for {example.target}: {', '.join(_word(word.text, word.attribution) for word in words)}" if words else ""


def _word(text: str, attribution: float) -> str:
    return f"{text} {signed(attribution)}"
