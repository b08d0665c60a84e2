"""The tutorial notebook runs, and prints what it was saved with."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tools.site.notebook import NOTEBOOK, notebook_page
from tools.site.places import ROOT


def read() -> nbformat.NotebookNode:
    found: nbformat.NotebookNode = nbformat.read(ROOT / NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    return found


def printed(notebook: nbformat.NotebookNode) -> list[str]:
    """What each cell of code wrote; a library's remarks, on stderr, differ from place to place."""
    return [
        "".join(output.text for output in cell.outputs if output.get("name") == "stdout")
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.embedded
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_it_runs_and_prints_what_is_saved_with_it(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "adapters_zoo").symlink_to(ROOT / "adapters_zoo")  # as they lie in a checkout
    notebook = read()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path / "docs")}}).execute()
    assert printed(notebook) == printed(read())
    assert "politics -> sports" in "".join(printed(notebook))


def test_what_is_saved_names_no_machine() -> None:
    notebook = read()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert {output.output_type for output in outputs} == {"stream"}
    assert {output.name for output in outputs} == {"stdout"}
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_the_site_shows_text_code_and_what_was_printed() -> None:
    page = notebook_page()
    assert page.startswith("# ")
    assert "```python\nimport adaptkit" in page
    assert "politics -> sports" in page
