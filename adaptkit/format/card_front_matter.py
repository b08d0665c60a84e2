"""The front matter of a card: what model hubs read of it, as YAML, by huggingface_hub's own classes."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from adaptkit.data.tasks.benchmarks import TASKS
from adaptkit.format.card import Card, CardSubject, Evaluation
from adaptkit.task_types import TASK_TYPES
from adaptkit.terminal.plain_text import one_line

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

# What model hubs call licences; anything else is `other` there, with its name beside.
_HUB_LICENCES = {
    *("apache-2.0", "mit", "cc0-1.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0"),
    *("cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "odbl", "pddl", "unlicense", "bsd-3-clause"),
}
_HUB_METRICS = {"accuracy": "accuracy", "macro F1": "f1", "entity F1": "f1", "SQuAD F1": "f1", "MLQA F1": "f1"}
"""Metrics that hubs know by another name, or by the same."""

_DATA_SET = re.compile(r"([\w-][\w.-]*/[\w-][\w.-]*)(?::[\w.-]+)?", re.ASCII)


def front_matter(subject: CardSubject, card: Card) -> str:
    """YAML, with an end of a line behind the last entry; no text can break out of it.

    Every score on the card is a result in the `model-index`; its name says the score without the adapter and the
    interval of the gain, which model indexes have no place for.
    """
    from huggingface_hub import ModelCardData

    results = [_result(subject, it) for it in card.evaluations]
    data = ModelCardData(
        library_name="adaptkit",
        base_model=subject.hub_id or None,
        language=list(subject.language_tags) or None,
        pipeline_tag=subject.hub_task,
        tags=["adaptkit", "adapter", subject.adapter_id.partition("/")[0], *subject.method.split(" + ")],
        datasets=list(dict.fromkeys(_data_sets(card))) or None,
        metrics=list(dict.fromkeys(_HUB_METRICS[it.metric] for it in card.evaluations if it.metric in _HUB_METRICS))
        or None,
        model_name=subject.adapter_id if results else None,
        eval_results=results or None,
        **_licence(card),
    )
    return data.to_yaml() + "\n"


def _licence(card: Card) -> dict[str, Any]:
    if card.licence == "not stated":
        return {"license": "unknown"}
    named = re.sub(r"[\s_]+", "-", card.licence.strip().lower())
    return (
        {"license": named} if named in _HUB_LICENCES else {"license": "other", "license_name": one_line(card.licence)}
    )


def _data_sets(card: Card) -> Iterator[str]:
    """Those of a hub that it was trained on."""
    for name in [] if card.private else [card.source, *(source.name for source in card.sources)]:
        if found := _DATA_SET.fullmatch(name):
            yield found[1]


def _result(subject: CardSubject, found: Evaluation) -> "EvalResult":
    """A score as an entry of a model index, in the numbers of the card."""
    from huggingface_hub import EvalResult

    name = one_line(found.task)
    benchmark = TASKS.get(re.sub(r"[\W_]", "", name.partition(",")[0]).lower())
    return EvalResult(
        task_type=subject.hub_task if benchmark is None else TASK_TYPES[benchmark.task_type].hub_task,
        dataset_type="other" if benchmark is None or benchmark.hub is None else benchmark.hub.name,
        dataset_name=name,
        metric_type=_HUB_METRICS.get(found.metric, one_line(found.metric)),
        metric_value=round(found.score_with, 2),
        metric_name=f"{one_line(found.metric)} with the adapter; without {found.score_without:.1f}, gain {found.gain}",
    )
