"""Which requests are replayed, and which go their usual way."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from adaptkit.backbones.precision import bfloat16_blocks
from adaptkit.errors import ConfigError, OutOfMemory
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel, load_model
from adaptkit.model.replays import Replays
from tests.adapters import attach_random, random_adapter
from tests.recorded import RunAgain, no_memory_to_record
from tests.saved import saved_backbone
from tests.tiny import tiny_model

LORA = AdapterConfig(method=LoraConfig(rank=2))
TEXTS = ["Maji ni uhai.", "Mvua inanyesha.", "Watoto wanacheza.", "Jua linawaka leo."]
NAMES = ("language/sw", "language/ha", "domain/news")


@pytest.fixture
def record() -> RunAgain:
    return RunAgain()


@pytest.fixture
def model(record: RunAgain) -> AdaptedModel:
    model = tiny_model()
    for seed, name in enumerate(NAMES):
        attach_random(model, name, LORA, seed=seed)
    return recording(model.eval(), record)


def recording(model: AdaptedModel, record: Any, graphs: Any = "always") -> AdaptedModel:  # noqa: ANN401
    model._passes.replays = Replays(model.backbone, record)
    model.use_graphs(graphs)
    return model


def as_it_is(model: AdaptedModel, **options: Any) -> Tensor:  # noqa: ANN401
    model.use_graphs("never")
    return model.encode(TEXTS, **options)


def test_vectors_are_those_of_the_usual_way(model: AdaptedModel, record: RunAgain) -> None:
    found = model.encode(TEXTS * 3, stack="sw > news", batch_size=4)
    assert record.n_replayed == 3
    torch.testing.assert_close(found, as_it_is(model, stack="sw > news").repeat(3, 1), rtol=1e-5, atol=1e-5)


def test_by_itself_a_run_is_recorded_only_where_its_shape_comes_again(model: AdaptedModel, record: RunAgain) -> None:
    model.use_graphs("auto")
    model.encode(TEXTS, stack="sw", batch_size=1)
    assert record.n_recorded == 0
    model.encode(TEXTS, stack="sw", batch_size=1)
    assert record.n_recorded == 1
    assert record.n_replayed == 4


def test_rows_of_several_stacks_go_their_usual_way(model: AdaptedModel, record: RunAgain) -> None:
    stacks = ["sw", "ha", None, "sw > news"]
    found = model.encode(TEXTS, stacks=stacks)
    assert record.n_recorded == 0
    assert torch.equal(found, as_it_is(model, stacks=stacks))


def test_inner_blocks_and_gradients_go_their_usual_way(model: AdaptedModel, record: RunAgain) -> None:
    ids = model.backbone.tokenize(TEXTS)
    model.encode_ids(ids, stack="sw", blocks=[0, 1])
    model(*model.backbone.pad(ids), stacks=["sw"] * 4)
    assert record.n_recorded == 0


def test_blocks_in_bfloat16_for_a_while_go_their_usual_way(model: AdaptedModel, record: RunAgain) -> None:
    model.encode(TEXTS, stack="sw")
    replayed = record.n_replayed
    with bfloat16_blocks(model.network):
        inside = model.encode(TEXTS, stack="sw")
    assert record.n_replayed == replayed
    assert not torch.equal(inside, model.encode(TEXTS, stack="sw"))


def test_a_swapped_adapter_acts_at_once(record: RunAgain) -> None:
    model = recording(tiny_model(), record)
    model.attach(random_adapter(model, LORA, seed=1))
    before = model.encode(TEXTS, stack="sw")
    model.swap(random_adapter(model, LORA, seed=2))
    after = model.encode(TEXTS, stack="sw")
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, as_it_is(model, stack="sw"), rtol=1e-5, atol=1e-5)


def test_a_model_that_was_converted_gives_what_it_is_now(model: AdaptedModel, record: RunAgain) -> None:
    model.encode(TEXTS, stack="sw")
    model.double()
    found = model.encode(TEXTS, stack="sw")
    assert record.n_recorded == 2
    torch.testing.assert_close(found, as_it_is(model, stack="sw"), rtol=1e-5, atol=1e-6)


def test_recordings_of_what_was_detached_are_dropped(model: AdaptedModel) -> None:
    model.encode(TEXTS, stack="sw")
    assert len(model._passes.replays._plans) == 1
    model.detach("language/sw")
    assert model._passes.replays._plans == {}


def test_the_recordings_of_a_few_stacks_are_kept(model: AdaptedModel, record: RunAgain) -> None:
    stacks = ["sw", "ha", "sw > news", "ha > news", "news"]
    for stack in stacks:
        model.encode(TEXTS, stack=stack)
    model.encode(TEXTS, stack="news")
    assert record.n_recorded == 5
    model.encode(TEXTS, stack="sw")
    assert record.n_recorded == 6  # it was the first to go


def _cannot(_run: Callable[[], Tensor]) -> Any:  # noqa: ANN401
    raise RuntimeError("operation not permitted when stream is capturing")


def test_what_cannot_be_recorded_is_said_once_and_runs_as_it_is(
    model: AdaptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    expected = as_it_is(model, stack="sw")
    recording(model, _cannot, "auto")
    with caplog.at_level(logging.WARNING):
        found = [model.encode(TEXTS, stack="sw") for _ in range(8)]
    for each in found:
        torch.testing.assert_close(each, expected, rtol=1e-5, atol=1e-5)
    assert [record.message for record in caplog.records if "could not be recorded" in record.message] != []
    assert len(caplog.records) == 1


def test_where_recording_was_asked_for_what_cannot_be_is_an_error(model: AdaptedModel) -> None:
    recording(model, _cannot)
    with pytest.raises(ConfigError, match="cannot be recorded as a CUDA graph"):
        model.encode(TEXTS, stack="sw")


def test_no_memory_for_a_recording_is_said_to_be_that(model: AdaptedModel) -> None:
    recording(model, no_memory_to_record)
    with pytest.raises(OutOfMemory, match=r"\(2.00 GiB more\)"):
        model.encode(TEXTS, stack="sw")


def test_where_it_may_do_without_no_memory_is_said_and_no_more(
    model: AdaptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    expected = as_it_is(model, stack="sw")
    recording(model, no_memory_to_record, "auto")
    with caplog.at_level(logging.WARNING):
        found = [model.encode(TEXTS, stack="sw") for _ in range(8)]
    torch.testing.assert_close(found[-1], expected, rtol=1e-5, atol=1e-5)
    (told,) = caplog.records
    assert "as one did not fit the memory as a CUDA graph" in told.message


def test_without_cuda_recording_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = saved_backbone(tmp_path_factory.mktemp("bert"))
    with pytest.raises(ConfigError, match="needs a model on CUDA"):
        load_model(folder, device="cpu", graphs="always")
    with pytest.raises(ConfigError, match="graphs is auto, always or never, found 'on'"):
        tiny_model().use_graphs("on")  # type: ignore[arg-type]
    assert load_model(folder, device="cpu", graphs="never").encode("Maji").shape == (32,)
