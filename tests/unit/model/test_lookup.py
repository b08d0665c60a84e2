"""What is attached while others serve: each change happens whole, before or after a request."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from adaptkit.composition import Stack
from adaptkit.errors import AdapterExists, UnknownAdapter
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import FusionConfig, LoraConfig
from adaptkit.model import AdaptedModel, ResolvedStack
from adaptkit.model.resolving import Resolver
from adaptkit.storage import Adapter
from adaptkit.storage.zoo import LoadableListing
from tests.adapters import random_adapter

LORA = AdapterConfig(method=LoraConfig(rank=4, alpha=8))
TEXTS = ["Habari ya asubuhi", "The goat sleeps."]
NAMES = ["x0", "x1", "x2"]
FAR = 30.0
"""Seconds after which a thread that waits for another is given up."""


def made(model: AdaptedModel, name: str, seed: int) -> Adapter:
    return random_adapter(model, LORA, name="sw", seed=seed).renamed(f"language/{name}")


def made_zoo(model: AdaptedModel, folder: Path, *, first_seed: int) -> Path:
    for seed, name in enumerate(NAMES, first_seed):
        made(model, name, seed).save(folder / name)
    return folder


@pytest.fixture
def zoos(model: AdaptedModel, tmp_path: Path) -> tuple[Path, Path]:
    """Two zoos with the same ids and other weights."""
    return made_zoo(model, tmp_path / "old", first_seed=1), made_zoo(model, tmp_path / "new", first_seed=11)


def answer(model: AdaptedModel, adapter: Adapter | Path, name: str = "x0") -> torch.Tensor:
    """What an adapter, or that of a zoo, gives on a model of its own."""
    fresh = AdaptedModel(model.backbone)
    if isinstance(adapter, Path):
        fresh.attach_zoo(adapter)
    else:
        fresh.attach(adapter)
    found = fresh.encode(TEXTS, stack=f"language/{name}")
    fresh.detach(*fresh.attached)
    return found


@contextmanager
def while_reading(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> Iterator[list[str]]:
    """`change` happens once, when the first adapter was read and is not attached yet; gives the places read."""
    read: list[str] = []
    load = LoadableListing.load

    def loaded(listing: LoadableListing) -> Adapter:
        adapter = load(listing)
        read.append(str(listing.files.path))
        if len(read) == 1:
            change()
        return adapter

    with monkeypatch.context() as patched:
        patched.setattr(LoadableListing, "load", loaded)
        yield read


@contextmanager
def while_probed(model: AdaptedModel, change: Callable[[], object]) -> Iterator[None]:
    """`change` happens once, when the first forward pass of the network begins."""
    passes = iter(range(1000))

    def begun(*_: object) -> None:
        if next(passes) == 0:
            change()

    handle = model.network.register_forward_pre_hook(begun)
    try:
        yield
    finally:
        handle.remove()


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_a_zoo_replaced_while_an_adapter_of_it_is_read(
    model: AdaptedModel, zoos: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = zoos
    model.attach_zoo(old)
    with while_reading(monkeypatch, lambda: model.attach_zoo(new)) as read:
        found = model.encode(TEXTS, stack="language/x0")
    assert read == [str(old / "x0"), str(new / "x0")]
    assert torch.equal(found, answer(model, new))
    assert list(model.attached) == ["language/x0"]
    model.attach_zoo(old)
    assert not model.attached
    assert torch.equal(model.encode(TEXTS, stack="language/x0"), answer(model, old))


def test_a_zoo_replaced_by_one_that_lacks_what_is_being_read(
    model: AdaptedModel, zoos: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(model, "other", 5).save(tmp_path / "small" / "other")
    model.attach_zoo(zoos[0])
    with (
        while_reading(monkeypatch, lambda: model.attach_zoo(tmp_path / "small")),
        pytest.raises(UnknownAdapter) as raised,
    ):
        model.encode(TEXTS, stack="language/x0")
    assert "language/other" in str(raised.value)
    assert model.attached == ()


def test_a_request_that_has_begun_ends_with_the_old_zoo(model: AdaptedModel, zoos: tuple[Path, Path]) -> None:
    old, new = zoos
    model.attach_zoo(old)
    model.plan("language/x0")
    with while_probed(model, lambda: model.attach_zoo(new)):
        assert torch.equal(model.encode(TEXTS, stack="language/x0"), answer(model, old))
    assert model.attached == ()
    assert torch.equal(model.encode(TEXTS, stack="language/x0"), answer(model, new))


def test_what_is_attached_by_hand_while_the_zoo_s_is_read_acts(
    model: AdaptedModel, zoos: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = made(model, "x0", 77)
    model.attach_zoo(zoos[0], cache_bytes=1)
    with while_reading(monkeypatch, lambda: model.attach(own)):
        found = model.encode(TEXTS, stack="language/x0")
    assert torch.equal(found, answer(model, own))
    model.plan("language/x1")
    model.attach_zoo(zoos[1])
    assert model.attached_adapter("language/x0") is own
    assert model.attached == ("language/x0",)


def test_what_the_zoo_brought_is_in_nobody_s_way(model: AdaptedModel, zoos: tuple[Path, Path]) -> None:
    """Whether the zoo's adapter happens to be at hand makes no difference to the caller."""
    for brought in (True, False):
        for act in (model.attach, model.swap):
            model.attach_zoo(zoos[0])
            if brought:
                model.plan("language/x0")
            own = made(model, "x0", 77)
            act(own)
            assert model.attached_adapter("language/x0") is own
            with pytest.raises(AdapterExists):
                model.attach(own)
            model.detach("language/x0")


def test_what_is_detached_while_more_is_read_for_the_request_comes_again(
    model: AdaptedModel, zoos: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model.attach_zoo(zoos[0])
    model.plan("language/x0")
    with while_reading(monkeypatch, lambda: model.detach("language/x0")) as read:
        found = model.encode(TEXTS, stacks=["language/x0", "language/x1"])
    assert read == [str(zoos[0] / name) for name in ("x1", "x0")]
    torch.testing.assert_close(found[:1], answer(model, zoos[0])[:1], rtol=1e-4, atol=1e-5)


def test_two_that_need_the_same_read_it_once(
    model: AdaptedModel, zoos: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[torch.Tensor] = []
    threads: list[threading.Thread] = []
    model.attach_zoo(zoos[0])

    def ask() -> None:
        found.append(model.encode(TEXTS, stack="language/x0"))

    with while_reading(monkeypatch, lambda: threads.append(in_thread(ask))) as read:
        ask()
        threads[0].join(FAR)
    assert read == [str(zoos[0] / "x0")]
    assert len(found) == 2
    assert all(torch.equal(vectors, answer(model, zoos[0])) for vectors in found)


def test_nobody_waits_for_what_another_reads(
    model: AdaptedModel, zoos: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model.attach_zoo(zoos[0])
    model.plan("language/x1")
    ended: list[bool] = []

    def others() -> None:
        thread = in_thread(lambda: model.encode(TEXTS, stack="language/x1"))
        thread.join(FAR)
        ended.append(not thread.is_alive())

    with while_reading(monkeypatch, others):
        model.plan("language/x0")
    assert ended == [True]


def test_a_detach_during_a_swap_is_not_undone(model: AdaptedModel) -> None:
    model.attach(made(model, "x0", 1))
    second = made(model, "x0", 2)
    with while_probed(model, lambda: model.detach("x0")), pytest.raises(UnknownAdapter):
        model.swap(second)
    assert model.attached == ()
    assert not list(model.adapters.parameters())


def test_an_attach_during_an_attach_stays_and_the_other_leaves_nothing(model: AdaptedModel) -> None:
    first, second = made(model, "x0", 1), made(model, "x0", 2)
    beside = made(model, "x1", 3)
    with while_probed(model, lambda: model.attach(first)), pytest.raises(AdapterExists):
        model.attach(beside, second)
    assert model.attached == ("language/x0",)
    assert model.attached_adapter("x0") is first


def test_nothing_is_attached_before_all_of_a_call_is_checked(model: AdaptedModel) -> None:
    """A fusion is checked on what it fuses before either can be seen by others."""
    parts = [made(model, name, seed) for seed, name in enumerate(NAMES[:2])]
    fusion = AdapterConfig(method=FusionConfig(fuses=("language/x0", "language/x1"), width=4))
    model.attach(*parts)
    fused = random_adapter(model, fusion, name="sw").renamed("language/both")
    model.detach("x0", "x1")
    seen: list[tuple[str, ...]] = []
    with while_probed(model, lambda: seen.append(model.attached)):
        model.attach(fused, *parts)
    assert seen == [()]
    assert model.attached == ("language/x0", "language/x1", "language/both")


def test_detaching_takes_all_off_or_none(model: AdaptedModel) -> None:
    model.attach(made(model, "x0", 1))
    with pytest.raises(UnknownAdapter):
        model.detach("x0", "x9")
    assert model.attached == ("language/x0",)


def test_a_swap_comes_between_no_two_stacks_of_a_request(model: AdaptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = made(model, "x0", 1), made(model, "x0", 2)
    model.attach(new)
    model.detach("x0")
    model.attach(old, made(model, "x1", 3))
    expected = model.encode(TEXTS, stacks=["language/x0", "x0"])
    look_up = Resolver.look_up
    threads: list[threading.Thread] = []

    def looked_up(resolver: Resolver, asked: Stack) -> ResolvedStack:
        found = look_up(resolver, asked)
        if not threads:
            threads.append(in_thread(lambda: model.swap(new)))
            threads[0].join(0.3)  # it cannot end before the request has all of its stacks
        return found

    monkeypatch.setattr(Resolver, "look_up", looked_up)
    assert torch.equal(model.encode(TEXTS, stacks=["language/x0", "x0"]), expected)
    threads[0].join(FAR)
    assert model.attached_adapter("x0") is new


def test_requests_while_zoos_take_turns(model: AdaptedModel, zoos: tuple[Path, Path]) -> None:
    """Each answer is wholly one zoo's, those asked for after a change are the new one's, and the bound holds."""
    right = {(zoo, name): answer(model, zoo, name) for zoo in zoos for name in NAMES}
    size = made(model, "x0", 1).size_bytes
    model.attach_zoo(zoos[0], cache_bytes=2 * size)
    wrong: list[object] = []
    stop = threading.Event()

    def is_from(found: torch.Tensor, zoo: Path, name: str) -> bool:
        return torch.equal(found, right[zoo, name])

    def serve(start: int) -> None:
        turn = start
        while not stop.is_set():
            name = NAMES[turn % len(NAMES)]
            turn += 1
            try:
                found = model.encode(TEXTS, stack=f"language/{name}")
            except Exception as error:
                wrong.append(error)
                return
            if not any(is_from(found, zoo, name) for zoo in zoos):
                wrong.append(name)

    threads = [in_thread(lambda start=start: serve(start)) for start in range(3)]  # type: ignore[misc]
    for turn in range(12):
        zoo = zoos[(turn + 1) % 2]
        model.attach_zoo(zoo, cache_bytes=2 * size)
        if not is_from(model.encode(TEXTS, stack="language/x1"), zoo, "x1"):
            wrong.append(turn)
    stop.set()
    for thread in threads:
        thread.join(FAR)
    assert wrong == []
    assert len(model.attached) <= 2
    model.attach_zoo(zoos[0])
    assert model.attached == ()
    assert not any(module._forward_hooks for module in model.network.modules())
