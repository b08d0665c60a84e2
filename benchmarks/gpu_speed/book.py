"""What was measured, on disk after every row: a run that is cut off still says something."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.gpu_speed.rows import Row


class Book:
    """Rows as JSON lines where `lines` is given, and all of them in one result file."""

    def __init__(self, result: Path, described: dict[str, Any], lines: Path | None = None) -> None:
        self._result, self._lines = result, lines
        self._content = described
        for path in (result, lines):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)

    @property
    def rows(self) -> dict[str, Any]:
        """Figures by the name of their row."""
        found: dict[str, Any] = self._content["measured"]
        return found

    def note(self, row: Row, figures: Mapping[str, Any], seconds: float) -> None:
        """Write a row."""
        entry = {**figures, "row_s": round(seconds, 1)}
        self.rows[row.name] = entry
        if self._lines is not None:
            with self._lines.open("a", encoding="utf-8") as file:
                print(json.dumps({"row": row.name, **entry}), file=file)
        self._result.write_text(json.dumps(self._content, indent=1) + "\n", encoding="utf-8")
        print(f"{row.name}: {entry.get('error', entry)}", flush=True)
