"""What a reader must learn before any table: warnings, verdicts, facts, and how to read the rest."""

from adaptkit.evaluation.repeats import FEWEST_TEXTS, repeats_told
from adaptkit.evaluation.report.answers import beside_glossaries
from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.words import (
    both_names,
    condition_name,
    condition_subject,
    condition_text,
    language_label,
    listed,
    percent,
    plain,
)
from adaptkit.evaluation.results import Condition, MeasuredAdapter, TransferResults
from adaptkit.terminal.amounts import counted

MIN_SEEDS = 3


def headline(grid: Grid) -> str:
    """The title of the report."""
    asked = "Does the stack help" if "stack" in grid.compared else "Do language adapters help"
    return f"{asked} on {plain(grid.results.task)}?"


def warnings(grid: Grid) -> list[str]:
    """What weakens every figure of this report."""
    results = grid.results
    found = []
    if results.limit is not None:
        found.append(
            f"Limited run: at most {counted(results.limit, 'test example')} per language. "
            "Do not quote these figures as scores on the whole test set."
        )
    if results.adapters and len(results.seeds) < MIN_SEEDS:
        found.append(f"Only {counted(len(results.seeds), 'seed')}: a report to rely on has at least {MIN_SEEDS}.")
    found += [f"{language_label(each.language)}: {repeats_told(each)}" for each in results.repeated]
    return found


def verdicts(grid: Grid) -> list[str]:
    """One sentence for each condition that was compared with none."""
    if not grid.compared:
        return ["Nothing was compared with running without a language adapter, so there is no verdict."]
    return [_verdict(grid, condition) for condition in grid.telling]


def verdict_counts(grid: Grid, condition: Condition) -> dict[str, int]:
    """How many languages each verdict has under a condition."""
    return {verdict: len(_languages_with(grid, condition, verdict)) for verdict in ("helps", "no evidence", "hurts")}


def facts(grid: Grid) -> list[tuple[str, str]]:
    """What was evaluated, as labels and values."""
    results = grid.results
    return [
        ("Task", plain(results.task)),
        ("Task trained in" if results.adapters else "Translations in", both_names(results.source_language)),
        ("Tested in", counted(len(grid.languages), "language")),
        ("Test examples", _examples(grid)),
        *([("Seeds", f"{len(results.seeds)} ({', '.join(map(str, results.seeds))})")] if results.seeds else []),
        ("Metrics", ", ".join(map(plain, results.metrics))),
        ("Backbone", plain(results.backbone)),
        ("Task adapters", ", ".join(map(plain, results.adapters)) or "none"),
        *([("The stack", plain(results.stack))] if results.stack else []),
        *((plain(it.id), _tested(it)) for it in results.language_adapters),
    ]


def notes(grid: Grid) -> list[str]:
    """The notes of the results, then the places that no note may have named."""
    missing: dict[Condition, list[str]] = {condition: [] for condition in grid.conditions}
    for name, condition in grid.missing:
        missing[condition].append(both_names(name))
    own = [
        f"Not measured with {condition_text(condition, grid.results.source_language)}: {listed(names)}. "
        "The tables show a dash."
        for condition, names in missing.items()
        if names
    ]
    return [*map(plain, grid.results.notes), *_untested_source(grid), *own]


def _untested_source(grid: Grid) -> list[str]:
    """What a transfer loses is told only beside the score of the language that the task was trained in."""
    source = grid.results.source_language
    if not grid.results.adapters or source in grid.languages:
        return []
    return [
        f"{both_names(source)}, in which the task was trained, was not tested: name it among the languages to see what "
        "the transfer loses."
    ]


def how_to_read(grid: Grid) -> list[str]:
    """What the figures mean, and what they do not."""
    results = grid.results
    source = results.source_language
    meanings = "; ".join(
        f"{condition_name(name, source)} ({name}): {condition_text(name, source)}" for name in grid.conditions
    )
    return [
        f"Conditions{', below the same task adapter' if results.adapters else ''}: {meanings}.",
        _what_a_score_is(results),
        f"A gain is in points of {plain(results.metrics[0])}, on the same test examples. Its {_confidence(grid)} "
        "interval is a paired bootstrap over test examples. It does not show how another run of the language adapter's "
        "training would differ.",
        "▲ helps: the whole interval is above zero. ▼ hurts: it is below zero. ○ no evidence: it includes zero, which "
        "does not prove that there is no effect.",
        *_chance(grid),
        *_of_classes(results),
        "Averages over languages are plain means without an interval. Peak memory is that of the whole process.",
    ]


def _of_classes(results: TransferResults) -> list[str]:
    gains = [it.gain for it in results.classes if it.gain is not None]
    if not gains:
        return []
    chance = sum(1 - gain.confidence for gain in gains)
    seeds = " of all seeds together" if len(results.seeds) > 1 else ""
    return [
        f"By class: P is precision, R recall, F1 is made of both, from the counts{seeds}. A gain is the mean over "
        "seeds with its paired bootstrap interval; for languages together there is none. A class in fewer than "
        f"{FEWEST_TEXTS} texts has no verdict, and few examples make wide intervals. Of {len(gains):,} gains by class, "
        f"about {chance:.0f} would show an effect by chance."
    ]


def _what_a_score_is(results: TransferResults) -> str:
    if not results.adapters:
        return "A score runs from 0 to 100. Nothing was trained for this task, so there are no seeds."
    return (
        f"A score runs from 0 to 100. It is the mean over {counted(len(results.seeds), 'seed')} of the task adapter, "
        "± the standard deviation between seeds, with the size of the adapters in the stack."
    )


def _tested(it: MeasuredAdapter) -> str:
    text = plain(it.text) or "text not stated"
    return f"weights {it.weights_sha256[:12]}; {text}; licence: {plain(it.licence)}"


def _verdict(grid: Grid, condition: Condition) -> str:
    helps, unclear, hurts = (_languages_with(grid, condition, verdict) for verdict in ("helps", "no evidence", "hurts"))
    subject = condition_subject(condition, grid.results.source_language)
    subject += beside_glossaries(grid, condition, grid.by_gain)
    parts = [f"{subject[0].upper()}{subject[1:]} helps on {listed(helps) if helps else 'no language'}"]
    if unclear:
        parts.append(f"there is no evidence on {listed(unclear)}")
    parts.append(f"it hurts on {listed(hurts) if hurts else 'none'}")
    return "; ".join(parts) + "."


def _languages_with(grid: Grid, condition: Condition, verdict: str) -> list[str]:
    found = ((name, grid.gain(name, condition)) for name in grid.by_gain)
    return [language_label(name) for name, gain in found if gain and gain.verdict == verdict]


def _examples(grid: Grid) -> str:
    counts = {cell.n_examples for cell in grid.results.cells}
    low, high = min(counts), max(counts)
    limit = "" if grid.results.limit is None else f" (limit {grid.results.limit:,})"
    return (f"{low:,}" if low == high else f"{low:,} to {high:,}") + " per language" + limit


def _confidence(grid: Grid) -> str:
    return " or ".join(percent(level) for level in sorted({gain.confidence for gain in grid.gains})) or "95 %"


def _chance(grid: Grid) -> list[str]:
    expected = sum(1 - gain.confidence for gain in grid.gains)
    if expected < 0.5:
        return []
    return [
        f"There are {counted(len(grid.gains), 'gain')}. If no adapter did anything, about {expected:.0f} of them would "
        "still show an effect, by chance."
    ]
