"""A stack of its own for every row of a batch gives what each row gives alone."""

from typing import Any

import pytest
import torch

import adaptkit
from adaptkit import Average, Fuse, Stack
from adaptkit.attaching import RowGroups, RowPlan, plan_of_rows
from adaptkit.attaching.row_plans import BatchedGroups, JointTerms
from adaptkit.errors import ConfigError, NoHead, UnknownAdapter
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import (
    BottleneckConfig,
    BottleneckMadxConfig,
    DoraConfig,
    FusionConfig,
    Ia3Config,
    InvertibleConfig,
    LoraConfig,
    MethodConfig,
)
from adaptkit.model import AdaptedModel, StackLike
from adaptkit.task_types import HeadConfig, PredictedAnswer
from tests.adapters import attach_random
from tests.saved import saved_backbone
from tests.tiny import CONFORMING, POST_NORM, states_of, tiny_model

TEXTS = [
    "Habari ya asubuhi",
    "The goat sleeps.",
    "Akuya tana barci a gida.",
    "Maji",
    "Watoto wanakwenda shule asubuhi na mapema.",
    "Rain fills the barrel.",
    "Ruwa",
    "Mbuzi anakula majani.",
    "Kila siku",
    "A",
]
LORA = AdapterConfig(method=LoraConfig(rank=4, alpha=2))
SOME_BLOCKS = AdapterConfig(method=LoraConfig(rank=3, alpha=2, sites=("attention.query", "ffn.output"), blocks=(1,)))
BOTTLENECK = AdapterConfig(method=BottleneckConfig(reduction_factor=8))
WIDE = AdapterConfig(method=BottleneckConfig(reduction_factor=4))
INVERTIBLE = AdapterConfig(method=LoraConfig(rank=2), invertible=InvertibleConfig())
ATTACHED = {
    "language/sw": LORA,
    "language/ha": SOME_BLOCKS,
    "language/yo": BOTTLENECK,
    "language/ig": INVERTIBLE,
    "domain/news": LORA,
    "domain/farm": WIDE,
    "task/topics": AdapterConfig(method=LoraConfig(rank=2), hides_top_block=True),
    "task/moods": BOTTLENECK,
}
STACKS: list[StackLike] = [
    None,
    "language/sw",
    "language/sw > domain/news > task/topics",
    "language/yo > domain/farm > task/moods",
    "language/ig > domain/news",
    "language/ha > domain/farm > task/topics",
    Stack(Average({"language/sw": 0.3, "language/ha": 0.9}), "task/topics"),
    Stack(Average("language/sw", "language/yo"), "domain/farm"),
    "language/sw",
    "language/yo > task/topics",
]


def with_adapters(model: AdaptedModel) -> AdaptedModel:
    for seed, (name, config) in enumerate(ATTACHED.items()):
        attach_random(model, name, config, seed=seed)
    return model.eval()


@pytest.fixture(params=CONFORMING)
def model(request: pytest.FixtureRequest) -> AdaptedModel:
    return with_adapters(tiny_model(request.param))


def weaken(model: AdaptedModel, *, all_but: tuple[str, ...] = ()) -> None:
    """Random weights at full strength make attention jump at every rounding."""
    for name, parameter in model.adapters.named_parameters():
        if not name.endswith(all_but):
            parameter.data *= 0.3


def one_by_one(model: AdaptedModel, stacks: list[StackLike]) -> torch.Tensor:
    return torch.cat([model.encode([text], stack=stack) for text, stack in zip(TEXTS, stacks, strict=True)])


def require_rows(model: AdaptedModel, stacks: list[StackLike], *, sizes: tuple[int, ...], atol: float) -> None:
    """In batches of every size they are what each is alone, which takes longest and is found once."""
    alone = one_by_one(model, stacks)
    for size in sizes:
        found = model.encode(TEXTS, stacks=stacks, batch_size=size)
        said = f"stacks {stacks} in batches of {size}: "
        torch.testing.assert_close(found, alone, rtol=1e-4, atol=atol, msg=said.__add__)


def test_rows_of_any_depth_and_method_in_one_batch(model: AdaptedModel) -> None:
    require_rows(model, STACKS, sizes=(1, 3, 10, 64), atol=4e-5)


PICKED = ([1, 2, 2, 1, 0, 2, 1, 4, 4, 2], [7, 3, 3, 7, 9, 3, 0, 9, 7, 7], [6, 6, 2, 2, 1, 0, 0, 0, 0, 5])


def test_stacks_on_several_rows_in_any_order(model: AdaptedModel) -> None:
    for picked in PICKED:
        require_rows(model, [STACKS[number] for number in picked], sizes=(len(TEXTS),), atol=4e-5)


@pytest.mark.parametrize(
    ("kind", "stacks"),
    [
        (JointTerms, STACKS[:3]),
        (JointTerms, ["language/tn", "language/sw > domain/works", Stack(Average("language/tn", "language/ha"))]),
        (BatchedGroups, ["language/yo", "language/yo > domain/farm > task/moods", None]),
        (BatchedGroups, ["language/rw", "language/rw > domain/sport", "language/so"]),
    ],
)
def test_rows_of_one_method_need_no_loop(kind: type, stacks: list[StackLike]) -> None:
    model = with_scales(with_adapters(tiny_model()))
    every = [stacks[number % 3] for number in range(len(TEXTS))]
    same_input = model.backbone.shape.same_inputs()
    plans = {stack: RowPlan(model.plan(stack), same_input) for stack in stacks}
    plan = plan_of_rows(RowGroups.of([plans[stack] for stack in every]))
    layers = [getattr(layer, "func", layer) for chain in plan.values() for layer in chain]
    assert {type(getattr(layer, "__self__", layer)) for layer in layers} == {kind}
    found = model.encode(TEXTS, stacks=every)
    torch.testing.assert_close(found, one_by_one(model, every), rtol=1e-4, atol=1e-5)


def test_rows_of_one_stack_are_that_stack_exactly(model: AdaptedModel) -> None:
    stack = "language/sw > domain/news > task/topics"
    assert torch.equal(model.encode(TEXTS, stacks=[stack] * len(TEXTS)), model.encode(TEXTS, stack=stack))
    assert torch.equal(model.encode(TEXTS, stacks=[None] * len(TEXTS)), model.encode(TEXTS))


def test_rows_of_a_fusion(model: AdaptedModel) -> None:
    fusion = FusionConfig(fuses=("language/sw", "language/yo"), width=4, sites=("attention.query", "block.output"))
    attach_random(model, "language/both", AdapterConfig(method=fusion))
    stacks = [Fuse("language/sw", "language/yo") if number % 2 else stack for number, stack in enumerate(STACKS)]
    found = model.encode(TEXTS, stacks=stacks)
    torch.testing.assert_close(found, one_by_one(model, stacks), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model_type", POST_NORM)
def test_rows_of_bottlenecks_before_the_norm(model_type: str) -> None:
    model = with_adapters(tiny_model(model_type))
    both = BottleneckMadxConfig(width=8, sites=("attention.residual", "block.output"))
    attach_random(model, "language/rw", AdapterConfig(method=both, invertible=InvertibleConfig()), seed=20)
    attach_random(model, "task/madx", AdapterConfig(method=BottleneckMadxConfig(width=4)), seed=21)
    stacks = [
        "language/rw > task/madx",
        "language/rw",
        "language/yo > task/madx",
        "language/rw > domain/farm > task/topics",
        Stack(Average("language/rw", "language/yo"), "task/madx"),
        *STACKS[:4],
        "language/rw > task/madx",
    ]
    require_rows(model, stacks, sizes=(3, 10), atol=1e-5)


SCALED: list[StackLike] = [
    "language/rw",
    "language/so > domain/sport",
    None,
    "language/so",
    "language/sw > domain/sport",
    "language/rw > domain/sport > task/topics",
    Stack(Average("language/rw", "language/so"), "domain/news"),
    "language/yo > domain/sport > task/moods",
    "language/so > domain/sport",
    "language/rw",
]


TURNED: list[StackLike] = [
    "language/tn",
    "language/tn > domain/works",
    None,
    "language/sw > domain/works > task/topics",
    "domain/works",
    Stack(Average({"language/tn": 0.3, "language/sw": 0.9}), "domain/works"),
    "language/rw > domain/works",
    Stack(Average("language/tn", "language/yo"), "task/moods"),
    "language/tn",
    "language/ha > domain/works",
]


def with_scales(model: AdaptedModel) -> AdaptedModel:
    """Beside the others IA3s and DoRAs, in all blocks, in one, and at linear layers where LoRAs act too."""
    every: dict[str, MethodConfig] = {
        "language/rw": Ia3Config(),
        "language/so": Ia3Config(blocks=(1,)),
        "language/tn": DoraConfig(rank=4, alpha=2),
        "domain/sport": Ia3Config(sites=("attention.query", "attention.key", "ffn.output")),
        "domain/works": DoraConfig(rank=2, sites=("attention.query", "ffn.output")),
    }
    for seed, (name, method) in enumerate(every.items(), start=30):
        layers = attach_random(model, name, AdapterConfig(method=method), seed=seed)
        for tensor, weight in layers.named_parameters():
            if tensor.endswith((".scales", ".gain")):
                weight.data += 1
    return model.eval()


def test_rows_that_scale(model: AdaptedModel) -> None:
    with_scales(model)
    for stacks in (SCALED, TURNED):
        require_rows(model, stacks, sizes=(3, 10), atol=1e-5)


@pytest.mark.parametrize("bits", [16, 8, 4])
@pytest.mark.parametrize("stacks", [SCALED, TURNED], ids=["ia3", "dora"])
def test_rows_that_scale_on_every_precision(stacks: list[StackLike], bits: Any, tmp_path: Any) -> None:  # noqa: ANN401
    model = with_scales(with_adapters(adaptkit.load_model(saved_backbone(tmp_path / "tiny", "bert"), bits=bits)))
    weaken(model, all_but=(".scales", ".gain"))
    found, alone = model.encode(TEXTS, stacks=stacks), one_by_one(model, stacks)
    assert float((found - alone).norm() / alone.norm()) < (0.03 if bits == 16 else 1e-4)


def test_rows_follow_weights_that_change() -> None:
    model = with_scales(with_adapters(tiny_model()))
    before = model.encode(TEXTS, stacks=TURNED)
    weaken(model)
    found = model.encode(TEXTS, stacks=TURNED)
    torch.testing.assert_close(found, one_by_one(model, TURNED), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(found, before, atol=1e-3)


@pytest.mark.parametrize("model_type", ["bert", "qwen2"])
@pytest.mark.parametrize("bits", [16, 8, 4])
def test_rows_on_every_precision(bits: Any, model_type: str, tmp_path: Any) -> None:  # noqa: ANN401
    model = with_adapters(adaptkit.load_model(saved_backbone(tmp_path / "tiny", model_type), bits=bits))
    weaken(model)
    found, alone = model.encode(TEXTS, stacks=STACKS), one_by_one(model, STACKS)
    worst = 0.03 if bits == 16 else 1e-4
    assert float((found - alone).norm() / alone.norm()) < worst


def test_gradients_of_rows_are_those_of_single_rows(model: AdaptedModel) -> None:
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    weights = torch.linspace(-1, 1, 32)
    weaken(model)
    found = []
    for apart in (False, True):
        model.adapters.requires_grad_(requires_grad=True)
        model.zero_grad()
        if apart:
            for row, stack in enumerate(STACKS[1:], start=1):  # the first is bare and has no gradient
                states = states_of(model, ids[row : row + 1], mask[row : row + 1], stacks=[stack])
                torch.autograd.backward((states * mask[row : row + 1, :, None] * weights).sum())
        else:
            torch.autograd.backward((states_of(model, ids, mask, stacks=STACKS) * mask[..., None] * weights).sum())
        found.append({name: p.grad.clone() for name, p in model.adapters.named_parameters() if p.grad is not None})
    assert found[0].keys() == found[1].keys()
    for name, gradient in found[0].items():
        assert float((gradient - found[1][name]).norm()) <= 1e-3 * float(gradient.norm()) + 1e-4, name


IN_PLACE: dict[str, list[StackLike]] = {
    "bottlenecks": ["language/yo", "language/yo > domain/farm", None, "language/sw > task/moods"],
    "ia3": ["language/rw", "language/rw > domain/sport", None, "language/sw > domain/sport"],
    "dora": ["language/tn", "language/tn > domain/works", None, "language/sw > domain/works"],
}


def test_gradients_of_rows_that_act_in_place(model: AdaptedModel) -> None:
    weaken(with_scales(model))
    for stacks in IN_PLACE.values():
        require_gradients_of_rows(model, stacks)


def require_gradients_of_rows(model: AdaptedModel, stacks: list[StackLike]) -> None:
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS[:4]))
    found: list[dict[str, torch.Tensor]] = []
    for apart in (False, True):
        model.adapters.requires_grad_(requires_grad=True)
        model.zero_grad()
        for row in (0, 1, 3) if apart else (slice(None),):
            rows = slice(row, row + 1) if isinstance(row, int) else row
            states = states_of(model, ids[rows], mask[rows], stacks=stacks[rows]) * mask[rows, :, None]
            torch.autograd.backward((states * torch.linspace(-1, 1, 32)).sum())
        found.append({name: p.grad.clone() for name, p in model.adapters.named_parameters() if p.grad is not None})
    assert found[0].keys() == found[1].keys()
    for name, gradient in found[0].items():
        assert float((gradient - found[1][name]).norm()) <= 1e-3 * float(gradient.norm()) + 1e-4, name


def test_states_at_several_depths(model: AdaptedModel) -> None:
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    with torch.no_grad():
        both = model(ids, mask, blocks=(0, 1), stacks=STACKS)
        for row in (2, 3, 6):
            alone = model(ids[row : row + 1], mask[row : row + 1], blocks=(0, 1), stacks=[STACKS[row]])
            real = mask[row].bool()
            torch.testing.assert_close(both[row, real], alone[0, real], rtol=1e-3, atol=1e-4)


HEADS = {
    "task/topics": HeadConfig(task_type="classification", labels=("farm", "health", "news")),
    "task/tags": HeadConfig(task_type="tagging", labels=("O", "B-LOC", "I-LOC")),
    "task/answers": HeadConfig(task_type="qa"),
}


def with_heads() -> AdaptedModel:
    model = tiny_model()
    attach_random(model, "language/sw", LORA)
    for seed, (name, head) in enumerate(HEADS.items()):
        attach_random(model, name, AdapterConfig(method=LoraConfig(rank=2), head=head), seed=seed)
    return model.eval()


def test_heads_of_several_task_types_answer_in_one_call() -> None:
    model = with_heads()
    inputs: list[Any] = ["Habari", ["Mbuzi", "wa", "Lamu"], ("Wapi?", "Mbuzi yuko shambani leo."), "Maji safi", ["Ee"]]
    stacks = ["sw > topics", "tags", "sw > answers", "topics", "sw > tags"]
    together = model.predict(inputs, stacks=stacks)
    for answer, given, stack in zip(together, inputs, stacks, strict=True):
        (alone,) = model.predict([given], stack=stack)
        assert type(answer) is type(alone)
        assert repr(answer)[:20] == repr(alone)[:20]
    probabilities = model.predict(["Habari"], stack="sw > topics")[0].probabilities
    assert together[0].probabilities == pytest.approx(probabilities, abs=1e-5)


def test_a_context_of_many_windows_beside_other_inputs() -> None:
    """A long context gives several rows, which are still one input with one stack."""
    model = with_heads()
    syllables = ["ma", "ku", "si", "ta", "ni", "bo", "re", "zu", "wa", "li", "ho"]
    long = " ".join(syllables[n * n % 11] + syllables[n % 7] + syllables[n * 7919 % 10] for n in range(200))
    inputs: list[Any] = [("Wapi?", "Mbuzi yuko leo."), "Habari", ("Nani?", long), ["Ee"], ("Nani?", long)]
    stacks = ["answers", "topics", "sw > answers", "tags", "answers"]
    together = model.predict(inputs, stacks=stacks, batch_size=2)
    for answer, given, stack in zip(together, inputs, stacks, strict=True):
        (alone,) = model.predict([given], stack=stack)
        assert type(answer) is type(alone)
        if isinstance(alone, PredictedAnswer):
            scores = [span.score for span in alone.n_best]
            assert [span.score for span in answer.n_best] == pytest.approx(scores, abs=1e-4)
            assert answer.no_answer_score == pytest.approx(alone.no_answer_score, abs=1e-4)
            assert all(given[1][span.start :].startswith(span.text) for span in answer.n_best)
    starts = {span.start for span in together[2].n_best}
    assert max(starts) - min(starts) > 200  # from more than one window


def test_stacks_that_cannot_be_right_are_refused() -> None:
    model = with_heads()
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    with pytest.raises(ConfigError, match="one for each"):
        model(ids, mask, stacks=["sw"])
    with pytest.raises(ConfigError, match="10 inputs, found 1"):
        model.encode(TEXTS, stacks=["sw"])
    with pytest.raises(ConfigError, match="both given"):
        model.encode(TEXTS[:1], stack="sw", stacks=["sw"])
    with pytest.raises(ConfigError, match="one stack for each"):
        model.encode(TEXTS[:2], stacks="sw")
    with pytest.raises(NoHead):
        model.predict(["Habari", "Maji"], stacks=["topics", "sw"])
    with pytest.raises(UnknownAdapter):
        model.encode(TEXTS[:2], stacks=["sw", "rw"])
    assert model.predict([], stacks=[]) == []
