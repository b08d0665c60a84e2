"""Rows whose adapters are numbers in an index give what each row gives by hooks, in one compiled graph."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from weakref import ref

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounter

from adaptkit import Average, Fuse, Stack, load_model
from adaptkit.attaching import BankedNetwork, BankSizes, Column
from adaptkit.attaching.banks import LowRankBank, SlotsOfRows
from adaptkit.backbones import Backbone
from adaptkit.config import Kind
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.holding import Bits
from adaptkit.methods import BottleneckConfig, DoraConfig, FusionConfig, Ia3Config, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel, StackLike
from adaptkit.model.banks import Banks
from adaptkit.model.replays import Replays
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig
from tests.adapters import attach_random, random_adapter
from tests.recorded import RunAgain
from tests.saved import saved_backbone
from tests.tiny import ARCHITECTURES, ENCODER_DECODERS, tiny_model

pytestmark = [
    # torch's own doing while it traces.
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning"),
]
LORA = AdapterConfig(method=LoraConfig(rank=4))
SMALL = AdapterConfig(method=LoraConfig(rank=2, sites=("attention.query",), blocks=(0,)))
SOME_BLOCKS = AdapterConfig(method=LoraConfig(rank=2, alpha=3, sites=("attention.query", "ffn.output"), blocks=(0,)))
BOTTLENECK = AdapterConfig(method=BottleneckConfig(reduction_factor=8))
WIDE = AdapterConfig(method=BottleneckConfig(reduction_factor=4, activation="gelu"))
AT_ATTENTION = AdapterConfig(method=BottleneckConfig(reduction_factor=16, sites=("attention.residual", "block.output")))
ADAPTERS: dict[tuple[Kind, str], AdapterConfig] = {
    ("language", "sw"): LORA,
    ("language", "ha"): SOME_BLOCKS,
    ("language", "yo"): BOTTLENECK,
    ("domain", "news"): LORA,
    ("domain", "farm"): WIDE,
    ("domain", "law"): AT_ATTENTION,
    ("task", "topics"): AdapterConfig(method=LoraConfig(rank=3), hides_top_block=True),
}
STACKS: list[StackLike] = [
    None,
    "sw",
    "sw > news > topics",
    "yo > farm > topics",
    "ha > law > topics",
    "sw > law",
    Stack(Average({"language/sw": 0.3, "language/ha": 0.9}), "task/topics"),
    "yo > news",
    "sw",
]
IDS = torch.arange(len(STACKS) * 8).view(-1, 8) + 5
MASK = torch.ones_like(IDS)
MASK[2, 5:] = MASK[6, 3:] = 0
TEXTS = ["Mbuzi anakula majani.", "Akuya tana cin ciyawa.", "Goats eat grass.", "Maji", "Rain fills the barrel."]


def adapter(model: AdaptedModel, kind: Kind, name: str, config: AdapterConfig, seed: int = 1) -> Adapter:
    return random_adapter(model, config, kind=kind, name=name, seed=seed)


def with_adapters(model: AdaptedModel) -> AdaptedModel:
    made = [adapter(model, kind, name, config, seed) for seed, ((kind, name), config) in enumerate(ADAPTERS.items())]
    model.attach(*made)
    return model


@torch.no_grad()
def states(model: AdaptedModel, stacks: Sequence[StackLike] = STACKS) -> Tensor:
    found: Tensor = model(IDS[: len(stacks)], MASK[: len(stacks)], stacks=stacks)
    return found


def require_close(found: Tensor, expected: Tensor) -> None:
    # Ranks are filled up with zeros and summed in another order: some ten units in the last place of float32.
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=3e-5)
    assert found.dtype == expected.dtype


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The banks that still hold what they read when a pass ends, which is memory of every block."""
    found: list[str] = []
    let_go = SlotsOfRows.let_go

    def noted(rows: SlotsOfRows) -> None:
        found.extend(getattr(rows, "narrow", ()))
        let_go(rows)

    monkeypatch.setattr(SlotsOfRows, "let_go", noted)
    return found


@pytest.mark.parametrize("model_type", [name for name in (*ARCHITECTURES, *ENCODER_DECODERS) if name != "deberta-v2"])
def test_rows_by_number_are_rows_by_hooks(model_type: str, kept: list[str]) -> None:
    model = with_adapters(tiny_model(model_type))
    expected = states(model)
    banks = model.use_banks(*STACKS[:3], slots=4)
    require_close(states(model), expected)
    assert banks.network.sizes.slots > 4
    assert banks.network.sizes.levels == 3
    assert banks.nbytes > 0
    assert kept == []


def counted(banks: Banks, dynamic: bool | None = None) -> CompileCounter:
    torch._dynamo.reset()
    counter = CompileCounter()
    banks.compile(backend=counter, dynamic=dynamic)
    return counter


def test_one_graph_serves_every_mixture_order_swap_and_new_adapter() -> None:
    model = with_adapters(tiny_model())
    banks = model.use_banks(*STACKS, slots=20)
    counter = counted(banks)
    before = {name: bank.data_ptr() for name, bank in banks.network.named_buffers()}

    def require_right(stacks: Sequence[StackLike]) -> None:
        with torch.no_grad():
            expected = torch.cat([model.bound(stack)(IDS[[row]], MASK[[row]]) for row, stack in enumerate(stacks)])
        require_close(states(model, stacks), expected)

    require_right(STACKS)
    assert counter.frame_count == 1
    require_right(STACKS[::-1])
    require_right(["ha > topics"] * 4 + [None] * 5)
    model.swap(adapter(model, "language", "sw", LORA, seed=70))
    require_right(STACKS)
    model.attach(adapter(model, "language", "rw", SOME_BLOCKS, seed=71), adapter(model, "language", "ig", BOTTLENECK))
    require_right(["rw > topics", "ig > farm", *STACKS[2:]])
    model.detach("language/rw", "language/ig")
    for seed in range(12):  # more than there are slots
        model.attach(adapter(model, "language", f"x{seed}", LORA, seed=seed))
        require_right([f"x{seed} > topics", *STACKS[1:]])
    assert counter.frame_count == 1
    assert {name: bank.data_ptr() for name, bank in banks.network.named_buffers()} == before


def test_batches_of_any_size_share_a_graph() -> None:
    model = with_adapters(tiny_model(n_blocks=1))
    counter = counted(model.use_banks(*STACKS), dynamic=True)
    for n_rows, n_tokens in ((4, 8), (7, 8), (5, 6), (9, 7)):
        ids, mask = (each[:n_rows, :n_tokens].clone(memory_format=torch.contiguous_format) for each in (IDS, MASK))
        with torch.no_grad():
            model(ids, mask, stacks=STACKS[:n_rows])
    assert counter.frame_count == 1


def test_growing_compiles_once_more() -> None:
    model = with_adapters(tiny_model(n_blocks=1))
    mixtures: list[list[StackLike]] = [["sw", "ha"], ["sw > news", None], ["sw", "news", "ha", "topics"]]
    expected = [states(model, mixture) for mixture in mixtures]
    banks = model.use_banks("sw", slots=4)
    counter = counted(banks)
    for mixture, by_hooks in zip(mixtures, expected, strict=True):
        require_close(states(model, mixture), by_hooks)
    assert counter.frame_count > 1
    assert (banks.network.sizes.slots, banks.network.sizes.levels) == (8, 2)


def test_inductor_gives_the_same_states() -> None:
    model = with_adapters(tiny_model(n_blocks=1))
    expected = states(model)
    torch._dynamo.reset()
    model.use_banks(*STACKS).compile(backend="inductor")
    require_close(states(model), expected)


@pytest.mark.parametrize(("bits", "embeddings"), [(4, "paged"), (8, "int8")])
def test_every_precision(bits: Bits, embeddings: str, tmp_path: Path) -> None:
    model = with_adapters(load_model(str(saved_backbone(tmp_path / "backbone")), bits=bits, embeddings=embeddings))
    expected = states(model)
    assert model.use_banks(*STACKS).nbytes > 0
    require_close(states(model), expected)


def test_banks_are_in_the_type_of_what_layers_read(tmp_path: Path) -> None:
    model = with_adapters(load_model(str(saved_backbone(tmp_path / "backbone")), bits=16))
    expected = states(model)
    banks = model.use_banks(*STACKS)
    assert {buffer.dtype for buffer in banks.network.banks.buffers()} == {torch.bfloat16}
    found = states(model)
    assert found.dtype == expected.dtype
    # Numbers of eight bits, of sums of some hundred terms in another order.
    torch.testing.assert_close(found.float(), expected.float(), rtol=0.05, atol=0.1)


def answers_by_both(model: AdaptedModel, ask: Callable[[], Tensor]) -> tuple[Tensor, Tensor]:
    by_hooks = ask()
    banks = model.use_banks(slots=8)
    by_banks = ask()
    assert banks.nbytes > 0
    return by_banks, by_hooks


def test_encode_and_predict_use_them() -> None:
    model = tiny_model()
    head = HeadConfig(task_type="classification", labels=("farm", "town"))
    topics = AdapterConfig(method=LoraConfig(rank=3), head=head)
    model.attach(adapter(model, "language", "sw", LORA), adapter(model, "task", "topics", topics))
    model.attach(adapter(model, "language", "yo", BOTTLENECK, seed=2))
    stacks = ["sw > topics", "topics", "yo > topics", "sw > topics", "topics"]
    by_banks, by_hooks = answers_by_both(model, lambda: model.encode(TEXTS, stacks=stacks, batch_size=3))
    require_close(by_banks, by_hooks)
    found = model.predict(TEXTS, stacks=stacks)
    model.use_banks().stop()
    expected = model.predict(TEXTS, stacks=stacks)
    assert [answer.label for answer in found] == [answer.label for answer in expected]
    for answer, other in zip(found, expected, strict=True):
        assert answer.probabilities == pytest.approx(other.probabilities, rel=1e-4)


def test_passes_are_recorded_once_for_every_mixture_and_swap() -> None:
    model, record = with_adapters(tiny_model()), RunAgain()
    orders = (STACKS, STACKS[::-1], ["ha > topics", *STACKS[1:]])
    expected = [states(model, order) for order in orders]
    model._passes.replays = Replays(model.backbone, record)
    model.use_graphs("always")
    banks = model.use_banks(*STACKS, slots=32)
    for order, by_hooks in zip(orders, expected, strict=True):
        require_close(states(model, order), by_hooks)
    assert (record.n_recorded, record.n_replayed) == (1, 3)
    model.swap(adapter(model, "language", "ha", SOME_BLOCKS, seed=90))
    before = record.n_recorded, record.n_replayed  # the new one was tried too
    found = states(model)
    assert (record.n_recorded, record.n_replayed) == (before[0], before[1] + 1)
    model.use_graphs("never")
    require_close(found, states(model))
    assert record.n_replayed == before[1] + 1
    banks.stop()
    require_close(found, states(model))


def test_requests_of_many_threads_do_not_mix() -> None:
    model = with_adapters(tiny_model())
    alone = [model.encode(TEXTS, stack=stack) for stack in STACKS]
    model.use_banks(slots=4)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda stack: model.encode(TEXTS, stack=stack), STACKS * 3))
    require_close(torch.cat(found), torch.cat(alone * 3))


def test_what_has_no_place_goes_the_way_of_hooks() -> None:
    model = with_adapters(tiny_model())
    others = {
        "rw": AdapterConfig(method=Ia3Config()),
        "ig": AdapterConfig(method=DoraConfig(rank=2)),
        "zu": AdapterConfig(method=LoraConfig(rank=2), invertible=InvertibleConfig()),
    }
    model.attach(*(adapter(model, "language", name, config) for name, config in others.items()))
    model.attach(
        adapter(model, "language", "both", AdapterConfig(method=FusionConfig(fuses=("language/sw", "language/ha"))))
    )
    attach_random(model, "language/new", LORA)
    model.adapters.eval()
    odd: list[StackLike] = [*others, Fuse("language/sw", "language/ha"), "new", Average("language/sw", "language/yo")]
    expected = [states(model, [stack, "sw"]) for stack in odd]
    banks = model.use_banks("sw")
    for stack, states_by_hooks in zip(odd, expected, strict=True):
        assert torch.equal(states(model, [stack, "sw"]), states_by_hooks)
        with pytest.raises(ConfigError, match="no place in banks"):
            banks.slots([model.pinned(stack)])


def test_layers_that_drop_go_the_way_of_hooks() -> None:
    model = tiny_model()
    model.attach(adapter(model, "language", "sw", AdapterConfig(method=LoraConfig(rank=2, dropout=0.5))))
    model.train()
    torch.manual_seed(1)
    expected = states(model, ["sw", None])
    model.use_banks("sw")
    torch.manual_seed(1)
    assert torch.equal(states(model, ["sw", None]), expected)
    model.eval()
    assert not torch.allclose(states(model, ["sw", None]), expected)


def test_a_copy_that_breaks_off_leaves_no_half_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    model = with_adapters(tiny_model())
    model.attach(adapter(model, "language", "rw", LORA, seed=5), adapter(model, "language", "rn", SMALL, seed=6))
    mixtures: list[list[StackLike]] = [["rw", "news"], ["rn", "news"], ["rw", "sw"]]
    expected = [states(model, mixture) for mixture in mixtures]
    model.use_banks("sw > news > topics", slots=4)
    put, left = LowRankBank.put, [3]

    def breaking(*given: Any) -> None:  # noqa: ANN401
        left[0] -= 1
        if not left[0]:
            raise torch.OutOfMemoryError("no memory")
        put(*given)

    monkeypatch.setattr(LowRankBank, "put", breaking)
    with pytest.raises(torch.OutOfMemoryError):
        states(model, ["rw", "news"])
    for mixture, by_hooks in zip(mixtures[1:] + mixtures, expected[1:] + expected, strict=True):
        require_close(states(model, mixture), by_hooks)


def test_banks_that_find_no_memory_to_grow_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    model = with_adapters(tiny_model())
    expected = states(model, ["sw", "ha"])
    banks = model.use_banks("sw", "ha", slots=4)

    class Bounded(BankedNetwork):
        def __init__(self, backbone: Backbone, sizes: BankSizes) -> None:
            if sizes.slots > 4:
                raise torch.OutOfMemoryError("no memory")
            super().__init__(backbone, sizes)

    monkeypatch.setattr("adaptkit.model.banks.BankedNetwork", Bounded)
    with pytest.raises(torch.OutOfMemoryError):
        states(model, ["sw", "ha", "news", "yo", "farm"])
    require_close(states(model, ["sw", "ha"]), expected)
    assert banks.network.sizes.slots == 4


def test_gradients_and_blocks_go_the_way_of_hooks() -> None:
    model = with_adapters(tiny_model())
    with torch.no_grad():
        expected = model(IDS[:2], MASK[:2], stacks=["sw", "yo"], blocks=[0, 1])
        model.use_banks("sw")
        assert torch.equal(model(IDS[:2], MASK[:2], stacks=["sw", "yo"], blocks=[0, 1]), expected)
    model.adapters.requires_grad_(requires_grad=True)
    model(IDS[:2], MASK[:2], stacks=["sw", "yo"]).sum().backward()
    assert any(weight.grad is not None for weight in model.adapters.parameters())


def test_what_is_detached_is_not_kept_and_what_is_moved_is_read_anew() -> None:
    model = with_adapters(tiny_model())
    banks = model.use_banks(*STACKS)
    layers = ref(model.pinned("yo").layers["language/yo"])
    model.detach("language/yo")
    assert layers() is None
    model.double()
    found = states(model, ["sw", "sw > news > topics"])
    assert found.dtype == torch.float64
    assert {buffer.dtype for buffer in banks.network.banks.buffers()} == {torch.float64}


def _by_optimizer(weights: list[torch.nn.Parameter]) -> None:
    for weight in weights:
        weight.requires_grad = True
        weight.grad = torch.ones_like(weight)
    torch.optim.SGD(weights, lr=0.3).step()
    for weight in weights:
        weight.requires_grad = False


@torch.no_grad()
def _by_writing(weights: list[torch.nn.Parameter]) -> None:
    weights[-1][0].add_(2)


@torch.inference_mode()
def _in_inference_mode(weights: list[torch.nn.Parameter]) -> None:
    weights[0].mul_(-3)


@pytest.mark.parametrize(("change", "name"), [(_by_optimizer, "sw"), (_by_writing, "yo"), (_in_inference_mode, "sw")])
def test_weights_that_are_changed_in_place_are_copied_again(
    change: Callable[[list[torch.nn.Parameter]], None], name: str
) -> None:
    model = with_adapters(tiny_model())
    stacks: list[StackLike] = [name, f"{name} > topics", "ha", None]
    banks = model.use_banks(*stacks)
    before = states(model, stacks)
    change(
        [weight for _, layer in model.pinned(name).layers[f"language/{name}"].items() for weight in layer.parameters()]
    )
    found = states(model, stacks)
    assert not torch.allclose(found[:2], before[:2])
    assert torch.equal(found[2:], before[2:])
    banks.stop()
    require_close(found, states(model, stacks))


def test_what_has_not_changed_is_copied_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = with_adapters(tiny_model())
    copied: list[int] = []
    put = BankedNetwork.put

    def noted(self: BankedNetwork, slot: int, column: Column) -> None:
        copied.append(slot)
        put(self, slot, column)

    monkeypatch.setattr(BankedNetwork, "put", noted)
    model.use_banks("sw", "ha")
    for _ in range(3):
        states(model, ["sw", "ha"])
    assert len(copied) == 2


def _sizes(banks: Banks) -> list[tuple[int, ...]]:
    return sorted(tuple(buffer.shape) for buffer in banks.network.banks.buffers())


def test_room_that_batches_do_not_need_any_more_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack sixteen deep, with an adapter of a large rank, runs once."""
    monkeypatch.setattr("adaptkit.attaching.bank_needs._LOOKED_AT", 4)
    model = with_adapters(tiny_model())
    deep = [f"language/d{number}" for number in range(15)]
    model.attach(*(adapter(model, "language", name.partition("/")[2], SMALL, seed) for seed, name in enumerate(deep)))
    model.attach(adapter(model, "domain", "wide", AdapterConfig(method=LoraConfig(rank=64))))
    stack = Stack(*deep, "domain/wide")
    usual: list[StackLike] = ["sw", "ha > news"]
    expected = [states(model, [stack, "sw"]), states(model, usual)]
    banks = model.use_banks(*usual, slots=4)
    small, n_bytes = _sizes(banks), banks.nbytes
    require_close(states(model, [stack, "sw"]), expected[0])
    assert (banks.network.sizes.levels, banks.network.sizes.slots) == (16, 32)
    assert banks.nbytes > 20 * n_bytes
    model.detach(*deep, "wide")
    # The first look still sees the deep batch, the second one looks at twice as many.
    for _ in range(12):
        require_close(states(model, usual), expected[1])
    assert (_sizes(banks), banks.nbytes) == (small, n_bytes)
    # What was named at the start is kept room for.
    for _ in range(20):
        states(model, ["sw"])
    assert banks.network.sizes.levels == 2
    assert (banks.network.sizes.levels, banks.network.sizes.slots) == (2, 4)


def test_each_time_room_is_given_back_it_is_kept_for_twice_as_many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptkit.attaching.bank_needs._LOOKED_AT", 2)
    model = with_adapters(tiny_model())
    banks = model.use_banks("sw", slots=2)
    kept_for = []
    for _ in range(3):
        states(model, ["sw > news"])
        assert banks.network.sizes.slots == 4
        count = 0
        while banks.network.sizes.slots == 4:
            states(model, ["sw"])
            count += 1
        kept_for.append(count)
    assert kept_for[1] > kept_for[0]
    assert kept_for[2] > kept_for[1]


def test_refusals() -> None:
    with pytest.raises(ConfigError, match="cannot have slots in banks"):
        tiny_model("deberta-v2").use_banks()
    with pytest.raises(ConfigError, match="at least 2"):
        tiny_model().use_banks(slots=1)
