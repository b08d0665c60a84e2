"""The tutorial notebook as a page: its text, its code, and what the code printed when it was last run."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tools.site.places import ROOT, place_of

NOTEBOOK = "docs/tutorial.ipynb"
PAGE = place_of(NOTEBOOK)


def notebook_page() -> str:
    """The page, with links as of the notebook's folder."""
    cells = json.loads((ROOT / NOTEBOOK).read_text(encoding="utf-8"))["cells"]
    return "\n\n".join(part for cell in cells for part in _parts(cell))


def _parts(cell: Mapping[str, Any]) -> Iterator[str]:
    if cell["cell_type"] == "markdown":
        yield "".join(cell["source"])
        return
    yield f"```python\n{''.join(cell['source'])}\n```"
    printed = "".join(line for output in cell["outputs"] for line in output.get("text", ()))
    if printed:
        yield f"```text\n{printed.rstrip()}\n```"
