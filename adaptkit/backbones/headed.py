"""A backbone inside the transformers class that has the same head."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForTokenClassification,
    PreTrainedConfig,
    PreTrainedModel,
)

from adaptkit.config import TaskType

_CLASSES: dict[TaskType, Any] = {"tagging": AutoModelForTokenClassification, "qa": AutoModelForQuestionAnswering}
SAME_HEADS: tuple[TaskType, ...] = ("tagging", "qa")
"""The task types whose head is one linear layer on every token, in transformers as here.

The others are not: transformers reads one token where ours takes the mean.
"""


def with_head(
    network: PreTrainedModel, task_type: TaskType, linear: nn.Linear, labels: Sequence[str]
) -> PreTrainedModel:
    """The network, not copied, under this linear layer. `task_type` is one of `SAME_HEADS`."""
    with torch.device("meta"):
        whole: PreTrainedModel = _CLASSES[task_type].from_config(labelled(network.config, labels))
    (own,) = (name for name, child in whole.named_children() if isinstance(child, nn.Linear))
    setattr(whole, whole.base_model_prefix, network)
    setattr(whole, own, linear)
    whole.train(mode=False)
    return whole


def labelled(config: PreTrainedConfig, labels: Sequence[str]) -> PreTrainedConfig:
    """A copy of a backbone's config that names the outputs of a head, if they have names."""
    named = copy.deepcopy(config)
    if labels:
        named.id2label = dict(enumerate(labels))
        named.label2id = {label: number for number, label in enumerate(labels)}
    return named
