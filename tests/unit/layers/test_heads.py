import pytest
import torch

from adaptkit.errors import ConfigError
from adaptkit.heads import build_head
from adaptkit.layers.pooling import mean_pool
from adaptkit.task_types import HeadConfig

HIDDEN = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(0))
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]])
SHAPES: dict[str, tuple[int, ...]] = {
    "classification": (3, 4),
    "tagging": (3, 5, 4),
    "qa": (3, 5, 2),
    "choice": (3, 1),
    "similarity": (3, 8),
}


def config(task_type: str) -> HeadConfig:
    labels = ("a", "b", "c", "d") if task_type in ("classification", "tagging") else ()
    return HeadConfig(task_type=task_type, labels=labels)


@pytest.mark.parametrize("task_type", SHAPES)
def test_outputs_have_the_shape_of_the_type(task_type: str) -> None:
    outputs = build_head(config(task_type), 8).eval()(HIDDEN.bfloat16(), MASK)
    assert tuple(outputs.shape) == SHAPES[task_type]
    assert outputs.dtype == torch.float32


@pytest.mark.parametrize("task_type", ["classification", "choice", "similarity"])
def test_padding_does_not_reach_a_sentence(task_type: str) -> None:
    head = build_head(config(task_type), 8).eval()
    changed = HIDDEN.clone()
    changed[MASK == 0] = 99.0
    torch.testing.assert_close(head(changed, MASK), head(HIDDEN, MASK))


def test_a_sentence_head_is_its_formula() -> None:
    head = build_head(config("classification"), 8).eval()
    weights = dict(head.named_parameters())
    pooled = mean_pool(HIDDEN, MASK)
    inner = torch.tanh(pooled @ weights["dense.weight"].T + weights["dense.bias"])
    torch.testing.assert_close(head(HIDDEN, MASK), inner @ weights["out.weight"].T + weights["out.bias"])


def test_a_similarity_head_is_the_sentence_vector() -> None:
    head = build_head(config("similarity"), 8)
    assert list(head.parameters()) == []
    torch.testing.assert_close(head(HIDDEN, MASK), mean_pool(HIDDEN, MASK))


@pytest.mark.parametrize(
    ("task_type", "labels", "message"),
    [
        ("classification", (), "2 to"),
        ("tagging", ("O",), "2 to"),
        ("classification", ("a", "a"), "named twice"),
        ("classification", tuple(map(str, range(1025))), "1,024"),
        ("qa", ("a", "b"), "has no labels"),
        ("poetry", (), "task type is one of"),
    ],
)
def test_labels_that_cannot_be_right(task_type: str, labels: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        HeadConfig(task_type=task_type, labels=labels)
