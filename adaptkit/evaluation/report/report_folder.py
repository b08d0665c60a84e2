"""The report folder: the same results as data, a table, Markdown, a page and two pictures."""

from pathlib import Path

from adaptkit.errors import ConfigError, DataError
from adaptkit.evaluation.report.chart_file import gains_svg, heatmap_svg
from adaptkit.evaluation.report.csv_table import classes_csv, results_csv
from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.html import render_html
from adaptkit.evaluation.report.markdown import render_markdown
from adaptkit.evaluation.report.results_file import load_results, results_json
from adaptkit.evaluation.results import TransferResults
from adaptkit.format.folder import write_folder
from adaptkit.terminal.asking import as_typed

RESULTS_FILE = "results.json"
REPORT_FILES = (RESULTS_FILE, "results.csv", "classes.csv", "report.md", "report.html", "heatmap.svg", "gains.svg")
_FORMER_FILES = ("heatmap.png", "gains.png")
"""What reports of adaptkit 0.2 and before hold in the place of the two drawings."""
_FILES_OF_ANY = (*REPORT_FILES, *_FORMER_FILES)


def save_report(results: TransferResults, folder: str | Path, *, overwrite: bool = False) -> Path:
    """Write the report and return its folder. There are no pictures where nothing was compared with `none`.

    Raises:
        ConfigError: The results cannot be shown, or something is at that place: another report, unless `overwrite`
            is set, or anything else. What is there stays as it is.
    """
    path = Path(folder)
    check_place(path, overwrite=overwrite)
    # overwrite: the place was checked above, and is checked again for files that have come since.
    write_folder(path, _files(results), overwrite=True, replaces=_FILES_OF_ANY)
    return path


def _files(results: TransferResults) -> dict[str, bytes]:
    files = {
        RESULTS_FILE: results_json(results),
        "results.csv": results_csv(results),
        "report.md": render_markdown(results).encode(),
        "report.html": render_html(results).encode(),
    }
    if results.classes:
        files["classes.csv"] = classes_csv(results)
    if Grid(results).compared:
        files |= {"heatmap.svg": heatmap_svg(results), "gains.svg": gains_svg(results)}
    return files


def check_place(path: Path, *, overwrite: bool) -> None:
    """See that a report can be written there, before hours are spent on it.

    Raises:
        ConfigError: Something is in the way.
    """
    if not path.exists() and not path.is_symlink():
        return
    if path.is_symlink() or not path.is_dir():
        raise ConfigError(f"{path} exists and is not a folder; nothing was written. Give another place.")
    present = {entry.name for entry in path.iterdir()}
    if not present:
        return
    if foreign := sorted(present - {*_FILES_OF_ANY}):
        raise ConfigError(
            f"{path} holds what is not a report (first: {foreign[0]}); nothing was written. Give another folder."
        )
    try:
        load_results(path / RESULTS_FILE)
    except DataError as error:
        raise ConfigError(
            f"{path} holds no report of adaptkit ({error}) Nothing was written. Give another folder."
        ) from error
    if not overwrite:
        raise ConfigError(
            f"{path} already holds a report; nothing was written. Give another folder, or {as_typed(overwrite=True)}."
        )
