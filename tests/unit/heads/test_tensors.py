"""The tensors that a task type says its head has are those of the module."""

import pytest

from adaptkit.heads import build_head
from adaptkit.task_types import TASK_TYPES, HeadConfig


@pytest.mark.parametrize("name", TASK_TYPES)
def test_the_tensors_of_a_head_are_those_of_its_module(name: str) -> None:
    row = TASK_TYPES[name]
    head = HeadConfig(
        task_type=name,
        labels=tuple("abc") if row.least_labels else (),
        source_language="en" if row.writes else "",
        target_languages=("sw",) if row.writes else (),
    )
    found = {name: tuple(parameter.shape) for name, parameter in build_head(head, 8).named_parameters()}
    assert list(found.items()) == list(head.tensors(8).items())
    assert head.has_weights == bool(found)
