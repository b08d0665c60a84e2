"""The page of results: the scores on the zoo's cards, and every case of `benchmarks/` with its newest result file."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adaptkit.languages import language_name
from benchmarks.results_files import Result, all_results
from tools.shipped import table
from tools.site.places import ROOT

_RESULTS = "benchmarks/results"
_CASES = ("benchmarks/cases/{}.py", "benchmarks/{}/__init__.py", "benchmarks/cases/{}/__init__.py")
_ADAPTERS = {"target": "of the language", "source": "of the source language", "relative": "of a relative"}
_INTRODUCTION = """\
Every figure on these pages was measured, and has a file that says with which commit, versions, hardware, seeds and
settings. Speed and memory beside other libraries are under [benchmarks](../benchmarks.md); what was tried, and what did
not work, is in [the history](../../benchmarks/HISTORY.md)."""
_CARDS = """\
## The adapters that come with adaptkit

![Topics (SIB-200) and verse retrieval in eight languages, without and with their adapter](../figures/adapters.svg)

The first score on each card, with a 95 % interval of the gain over the test's examples."""
_TRANSFERS = """\
## Gains by language

The newest run of each task: points over the same head without a language adapter, with a 95 % interval."""
_RUNS = """\
## All results

One row for each case of `benchmarks/`, with its newest file. `python -m benchmarks.run CASE` runs one again."""
PAGE = "results/index.md"
"""Its place in the site; its links are those of a page of this path in the repository."""


def results_page() -> str:
    """The page, as one of the repository."""
    parts = ["# Results", _INTRODUCTION, _CARDS, table(), _TRANSFERS, *_transfers(), _RUNS, "\n".join(_runs())]
    return "\n\n".join(parts) + "\n"


def _by_case() -> Mapping[str, Sequence[Result]]:
    found: dict[str, list[Result]] = defaultdict(list)
    for result in all_results():
        found[str(result.content["case"])].append(result)
    return dict(sorted(found.items()))


def _transfers() -> Iterator[str]:
    newest = [results[-1] for results in _by_case().values()]
    for result in newest:
        for transfer in _compared(result.content["measured"]):
            rows = map(_gain, transfer["comparisons"])
            origin = f"`{result.content['case']}`, {_date(result)}"
            yield f"### {transfer['task']}, {transfer['metrics'][0]}\n\n{origin}"
            yield "\n".join(["| language | adapter | gain | 95 % interval |", "|---|---|---|---|", *rows])


def _compared(measured: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The transfer reports among what was measured that compared anything."""
    reports = measured["transfer"].values() if "transfer" in measured else [measured]
    return [report for report in reports if report.get("comparisons")]


def _gain(comparison: Mapping[str, Any]) -> str:
    difference = comparison["difference"]
    interval = f"{difference['low']:+.1f} to {difference['high']:+.1f}"
    adapter = _ADAPTERS.get(comparison["condition"], comparison["condition"])
    return f"| {language_name(comparison['language'])} | {adapter} | {difference['mean']:+.1f} | {interval} |"


def _date(result: Result) -> str:
    return f"[{result.content['date'][:10]}](../../{_RESULTS}/{result.name})"


def _runs() -> Iterator[str]:
    yield "| case | asks | runs | newest | commit | hardware |"
    yield "|---|---|---|---|---|---|"
    for case, results in _by_case().items():
        newest = results[-1]
        content = newest.content
        yield (
            f"| `{case}` | {_asks(case)} | {len(results)} | {_date(newest)} | "
            f"`{content['commit'][:7]}` | {_hardware(content['hardware'])} |"
        )


def _asks(case: str) -> str:
    """The first sentence of the case's own text; nothing of one that is no longer there."""
    module = next((ROOT / form.format(case) for form in _CASES if (ROOT / form.format(case)).exists()), None)
    if module is None:
        return ""
    told = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return told.partition("\n")[0].replace("|", "\\|")


def _hardware(hardware: Mapping[str, Any]) -> str:
    where = f"{hardware.get('cores')} cores, {hardware.get('cpu')}"
    return str(hardware["gpu"]) if hardware.get("gpu") else where
