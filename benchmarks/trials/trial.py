"""One training of a language adapter, and what is scored afterwards."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What is trained on which sources; `options`, `lora` and `run` are fields of the objective, `Lora` and `Run`.

    `most` bounds the pairs of each source, `group` is what trials are compared by, `scores` some of topics, retrieval,
    names and inference. The objective `gloss` reads the sentences alone; with `lexicon` the language's dictionary is
    given. `call` is what `train_adapter` is given besides. One to `keep` is scored and saved with weights of two bytes.
    """

    group: str
    language: str
    sources: tuple[str, ...]
    steps: int | None = None
    seed: int = 0
    most: int | None = None
    keep: bool = False
    lexicon: bool = False
    objective: str = "distill"
    options: Mapping[str, Any] = field(default_factory=dict)
    lora: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    call: Mapping[str, Any] = field(default_factory=dict)
    scores: tuple[str, ...] = ("topics", "retrieval")

    @property
    def name(self) -> str:
        """Unique among the trials of a plan."""
        return f"{self.group} {self.language} {self.seed}"


def read_plan(path: Path) -> list[Trial]:
    """Trials of a file with a JSON object a line, in their order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_trial(json.loads(line)) for line in lines if line.strip()]


def _trial(fields: dict[str, Any]) -> Trial:
    lists = {name: tuple(value) for name, value in fields.items() if name in ("sources", "scores")}
    return Trial(**{**fields, **lists})
