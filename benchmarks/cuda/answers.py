"""Cases: what is predicted for each type of task, alone and beside others."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig, PredictedAnswer, PredictedChoice, PredictedLabel, PredictedTags
from benchmarks.cuda import limits
from benchmarks.cuda.case import Case, against_cpu
from benchmarks.cuda.forms import LORA
from benchmarks.cuda.place import Place
from benchmarks.cuda.trainings import TASKS, head_outputs
from tests.adapters import attach_random


def _heads(model: AdaptedModel) -> dict[str, HeadConfig]:
    heads = {
        name: HeadConfig(task_type=data.task_type, labels=data.labels, pairs=name == "pairs")
        for name, data in TASKS.items()
    }
    attach_random(model, "language/sw", LORA)
    for seed, (name, head) in enumerate(heads.items()):
        attach_random(model, f"task/{name}", AdapterConfig(method=LoraConfig(rank=2, alpha=1), head=head), seed=seed)
    model.adapters.eval()
    return heads


def _predicted(place: Place, **options: Any) -> Mapping[str, Tensor]:  # noqa: ANN401
    model = place.model(**options)
    heads = _heads(model)
    found: dict[str, Tensor] = {}
    for name, head in heads.items():
        if head.task_type != "similarity":
            found[f"outputs for {name}"] = head_outputs(model, f"task/{name}", head)
        found[f"answers for {name}"] = _numbers(model.predict(TASKS[name].examples[:10], stack=f"sw > task/{name}"))
    mixed = [(example, f"task/{name}") for name, data in TASKS.items() for example in data.examples[:4]]
    answers = model.predict([each for each, _ in mixed], stacks=[stack for _, stack in mixed], batch_size=5)
    return {**found, "answers for all in one call": _numbers(answers)}


def _numbers(answers: Sequence[Any]) -> Tensor:
    """The numbers in answers of any type. A choice between two that are nearly as good may fall either way."""
    return torch.tensor([number for answer in answers for number in _numbers_of(answer)])


def _numbers_of(answer: object) -> list[float]:
    if isinstance(answer, PredictedLabel):
        return list(answer.probabilities.values())
    if isinstance(answer, PredictedChoice):
        return list(answer.probabilities)
    if isinstance(answer, PredictedAnswer):
        return [*sorted(span.score for span in answer.n_best), answer.no_answer_score]
    if isinstance(answer, PredictedTags):
        return [float(answer.n_read)]
    assert isinstance(answer, float)
    return [answer]


def cases() -> Iterator[Case]:
    """All of these."""
    for bits, dtype in ((32, torch.float32), (16, torch.bfloat16), (8, torch.float32), (4, torch.float32)):
        options: dict[str, Any] = {"bits": bits, "dtype": dtype}
        limit = limits.of_form(bits, bf16=False)
        yield Case(f"predict: {bits} bits", against_cpu(partial(_predicted, **options), limit))
