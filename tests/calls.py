"""Trainings asked for by flat options, as the command has them, where a test says many of them."""

from dataclasses import replace
from typing import Any

from adaptkit.model import AdaptedModel
from adaptkit.recipes import Estimate
from adaptkit.recipes.train import estimate, train
from adaptkit.requests import AnyRequest, LanguageRequest, Measuring, TaskRequest, request_of
from adaptkit.storage import Adapter
from adaptkit.training.display import Silent

QUIET = Measuring(progress=False)
"""Evaluations that show nothing."""


def asked(**flat: Any) -> AnyRequest:  # noqa: ANN401 - any option
    """The request for these options; `backbone` may be a loaded model."""
    model = flat.pop("backbone", None)
    if not isinstance(model, AdaptedModel):
        return request_of(flat if model is None else {**flat, "backbone": model})
    return replace(request_of(flat), backbone=model)


def language_request(**flat: Any) -> LanguageRequest:  # noqa: ANN401
    """The request for a language adapter with these options."""
    found = asked(**flat)
    assert isinstance(found, LanguageRequest)
    return found


def task_request(**flat: Any) -> TaskRequest:  # noqa: ANN401
    """The request for a task adapter with these options."""
    found = asked(**flat)
    assert isinstance(found, TaskRequest)
    return found


def train_adapter(**flat: Any) -> Adapter:  # noqa: ANN401
    """The adapter that is trained for these options."""
    return train(asked(**flat))


def estimate_adapter(**flat: Any) -> Estimate:  # noqa: ANN401
    """What training for these options would cost."""
    return estimate(asked(**flat), Silent())
