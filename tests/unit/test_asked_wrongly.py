"""Calls that a newcomer makes, and what the answer says."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import adaptkit
from adaptkit.errors import ArchitectureMismatch, ConfigError, EmptyCorpus, NoHead, NotAnAdapter, UnknownAdapter
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig, LabelledText
from adaptkit.terminal.asking import shell_words
from tests.adapters import attach_random, random_adapter
from tests.tiny import tiny_model

LORA = AdapterConfig(method=LoraConfig(rank=2))
TOPICS = AdapterConfig(
    method=LoraConfig(rank=2), head=HeadConfig(task_type="classification", labels=("farming", "health"))
)


@pytest.fixture
def stacked(model: AdaptedModel) -> AdaptedModel:
    attach_random(model, "language/sw", LORA)
    attach_random(model, "task/topics", TOPICS)
    return model


def test_one_string_has_one_answer(stacked: AdaptedModel) -> None:
    stacked.eval()
    (answer,) = stacked.predict(["Timu imeshinda."], stack="topics")
    assert stacked.predict("Timu imeshinda.", stack="topics") == answer
    assert stacked.predict("Timu imeshinda.", stacks=["sw > topics"]).label in TOPICS.head.labels  # type: ignore[union-attr]
    assert stacked.predict(LabelledText(text="Timu imeshinda.", label=""), stack="topics") == answer


@pytest.mark.parametrize("ask", ["predict", "explain"])
def test_an_empty_input_is_refused_with_its_row(stacked: AdaptedModel, ask: str) -> None:
    call = getattr(stacked, ask)
    with pytest.raises(ConfigError, match="row 2 of the inputs: text is empty"):
        call(["Timu imeshinda.", " "], stack="topics")
    with pytest.raises(ConfigError, match="row 1 of the inputs: text is empty"):
        call("", stack="topics")


def test_rows_are_those_of_the_call_where_inputs_have_several_heads(stacked: AdaptedModel) -> None:
    attach_random(stacked, "task/names", replace(TOPICS, head=HeadConfig(task_type="tagging", labels=("O", "B-PER"))))
    with pytest.raises(ConfigError, match=r"row 3 of the inputs is 'maji'; for tagging"):
        stacked.predict(["maji", ["maji"], "maji"], stacks=["topics", "names", "names"])


def test_one_stack_is_no_list_of_stacks(stacked: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match=r"stack='sw > topics'"):
        stacked.predict(["Timu imeshinda."], stacks="sw > topics")


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_list_is_no_stack(stacked: AdaptedModel, kind: Any) -> None:  # noqa: ANN401
    with pytest.raises(ConfigError, match="write 'sw > topics'"):
        stacked.predict(["Timu imeshinda."], stack=kind(["sw", "topics"]))
    with pytest.raises(ConfigError, match="write 'language/sw'"):
        stacked.encode(["Maji"], stack=kind([random_adapter(stacked, LORA)]))


def test_a_path_is_no_adapter(model: AdaptedModel, tmp_path: Path) -> None:
    path: Any = str(tmp_path / "sw")
    with pytest.raises(ConfigError, match="load_adapter"):
        model.attach(path)


def test_a_folder_that_is_not_there(model: AdaptedModel, tmp_path: Path) -> None:
    random_adapter(model, LORA).save(tmp_path / "swahili")
    with pytest.raises(NotAnAdapter, match=r"no such folder; did you mean .*swahili\?"):
        adaptkit.load_adapter(tmp_path / "swahilli")
    with pytest.raises(NotAnAdapter, match=r"no such folder\."):
        adaptkit.load_adapter(tmp_path / "nowhere/at/all")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotAnAdapter, match="has no file"):
        adaptkit.load_adapter(tmp_path / "empty")


def test_a_name_that_a_zoo_has_not(model: AdaptedModel, tmp_path: Path) -> None:
    random_adapter(model, LORA, kind="domain", name="health").save(tmp_path / "zoo/health")
    model.attach_zoo(tmp_path / "zoo")
    with pytest.raises(UnknownAdapter, match=r"Did you mean health\?.*In the zoo: domain/health"):
        model.encode(["Maji"], stack="healt")


def test_what_to_do_for_want_of_an_adapter_is_what_the_reader_can_do(model: AdaptedModel) -> None:
    model.attach(random_adapter(model, LORA))
    asked: list[tuple[Any, str, type[Exception], str]] = [
        (model.encode, "domain/health", UnknownAdapter, r"Attach it first: model\.attach\("),
        (model.predict, "sw", NoHead, r"attach one \(model\.attach, attach_zoo\), or use encode"),
    ]
    for use, stack, kind, how in asked:
        with pytest.raises(kind, match=how):
            use(["Maji"], stack=stack)
        with shell_words(), pytest.raises(kind, match=r"[Nn]ame a folder .*--zoo FOLDER") as raised:
            use(["Maji"], stack=stack)
        assert "model." not in str(raised.value)
        assert "encode" not in str(raised.value)


def test_another_family_is_told_in_words() -> None:
    adapter = random_adapter(tiny_model("bert"), LORA)
    with pytest.raises(ArchitectureMismatch, match=r"on tiny-bert, an encoder \(bert\), and .* a decoder \(llama\)"):
        tiny_model("llama").attach(adapter)


def test_too_little_text_is_refused_before_a_backbone_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text(" \n\n")
    nowhere = str(tmp_path / "no-backbone")
    with pytest.raises(EmptyCorpus, match="holds no text"):
        adaptkit.train_adapter(lang="sw", text=tmp_path / "empty.txt", backbone=nowhere)
    with pytest.raises(EmptyCorpus, match=r"6 usable pairs; training needs at least 20"):
        adaptkit.train_adapter(lang="sw", parallel=[(f"goat {n}", f"mbuzi {n}") for n in range(6)], backbone=nowhere)


def test_another_backbone_is_told_by_what_differs() -> None:
    adapter = random_adapter(tiny_model(n_blocks=3), LORA)
    with pytest.raises(ArchitectureMismatch, match=r"with n_blocks 3 \(here 2\): this backbone"):
        tiny_model().attach(adapter)
