"""A backbone inside the transformers class that has the same head."""

import copy
from collections.abc import Sequence

import torch
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel

from adaptkit.errors import ConfigError
from adaptkit.task_types import HeadConfig


def with_head(network: PreTrainedModel, head: HeadConfig, linear: nn.Linear) -> PreTrainedModel:
    """The network, not copied, under this linear layer, of a head that transformers has too.

    Raises:
        ConfigError: Transformers has that head for other families only.
    """
    assert head.row.transformers_class is not None  # noqa: S101 - no other is asked for
    auto = head.row.transformers_class()
    if type(network.config) not in auto._model_mapping:
        raise ConfigError(
            f"transformers has no {auto.__name__} for a {network.config.model_type} backbone, so that no folder of its "
            "would hold the head. Serve the stack as it is: adaptkit.as_pipeline, adaptkit.export_onnx; or merge what "
            "lies below the head."
        )
    whole = _empty(network, head)
    (own,) = (name for name, child in whole.named_children() if isinstance(child, nn.Linear))
    setattr(whole, whole.base_model_prefix, network)
    setattr(whole, own, linear)
    whole.train(mode=False)
    return whole


def fits_class(network: PreTrainedModel, head: HeadConfig) -> bool:
    """Whether transformers has a class with the same head for this backbone, and nothing else with weights in it."""
    made_by = None if head.row.transformers_class is None else head.row.transformers_class()
    if made_by is None or type(network.config) not in made_by._model_mapping:
        return made_by is not None
    whole = _empty(network, head)
    beside = [child for name, child in whole.named_children() if name != whole.base_model_prefix]
    return sum(bool(list(child.parameters())) for child in beside) == 1


def _empty(network: PreTrainedModel, head: HeadConfig) -> PreTrainedModel:
    assert head.row.transformers_class is not None  # noqa: S101 - no other is asked for
    with torch.device("meta"):
        made = head.row.transformers_class().from_config(labelled(network.config, head.labels))
    whole: PreTrainedModel = made
    return whole


def labelled(config: PreTrainedConfig, labels: Sequence[str]) -> PreTrainedConfig:
    """A copy of a backbone's config that names the outputs of a head, if they have names."""
    named = copy.deepcopy(config)
    if labels:
        named.id2label = dict(enumerate(labels))
        named.label2id = {label: number for number, label in enumerate(labels)}
    return named
