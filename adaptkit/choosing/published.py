"""Scores that publications state for backbones: a small table, each figure with where it stands.

Only figures that were looked up in the publication itself are in the table; a missing one is better than a wrong one.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from adaptkit.choosing.candidate import Published
from adaptkit.languages import canonical_tag

SOURCES: Mapping[str, str] = {
    "XLMR-1": "Unsupervised Cross-lingual Representation Learning at Scale (Conneau et al. 2020), arXiv:1911.02116, "
    "table 1",
    "XLMR-3": "Unsupervised Cross-lingual Representation Learning at Scale (Conneau et al. 2020), arXiv:1911.02116, "
    "table 3",
    "AFRO": "the table on the model card of Davlan/afro-xlmr-base; its paper is Adapting Pre-trained Language Models "
    "to African Languages via Multilingual Adaptive Fine-Tuning (Alabi et al. 2022), arXiv:2204.06487",
}
"""By the short name that the table has for each."""

_OTHER_NAMES: Mapping[str, str] = {
    "xlm-roberta-base": "FacebookAI/xlm-roberta-base",
    "xlm-roberta-large": "FacebookAI/xlm-roberta-large",
}
"""Hub ids that lead to the same repository."""


@dataclass(frozen=True)
class _Row:
    hub_id: str
    task: str
    score: Published


def published_scores(hub_id: str | None, task: str | None, language: str) -> tuple[Published, ...]:
    """What is published of a backbone for a task (`nli`, `ner`, `qa`) in a language; empty where nothing is known.

    Raises:
        UnknownLanguage: `language` is none.
    """
    tag, name = canonical_tag(language), _OTHER_NAMES.get(str(hub_id), hub_id)
    return tuple(row.score for row in _rows() if row.hub_id == name and row.task == task and row.score.language == tag)


@cache
def _rows() -> tuple[_Row, ...]:
    with files("adaptkit.choosing").joinpath("published.tsv").open(encoding="utf-8") as file:
        return tuple(
            _Row(
                row["hub_id"],
                row["task"],
                Published(
                    dataset=row["dataset"],
                    metric=row["metric"],
                    language=row["language"],
                    score=float(row["score"]),
                    source=SOURCES[row["source"]],
                ),
            )
            for row in csv.DictReader(file, delimiter="\t")
        )
