"""An objective in one file outside the package goes wherever those of the package go."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

import adaptkit
from adaptkit.data.sentence import Sentence
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.storage import Adapter
from tests.adapters import random_adapter
from tests.calls import train_adapter
from tests.examples import EXAMPLES, imported, stacks_evaluated
from tests.runs import PAIRS, CtrlC, opener, train_and_interrupt
from tests.texts import tokenized
from tests.tiny import tiny_model

LORA = AdapterConfig(method=LoraConfig(rank=4))
NAME = "translation_language_modelling"
QUICK = adaptkit.Run(max_steps=4, batch_size=8, progress=False)
PAGE = EXAMPLES.parent / "how-to" / "add-an-objective.md"


@pytest.fixture(scope="module")
def module() -> Iterator[ModuleType]:
    with imported(NAME) as found:
        yield found


@pytest.fixture(scope="module")
def folder(module: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that was trained so, and saved."""
    place = tmp_path_factory.mktemp("adapters") / "sw"
    adaptkit.train_adapter(
        lang="sw",
        parallel=PAIRS,
        objective=module.Tlm(mask_share=0.25),
        backbone=tiny_model(),
        run=QUICK,
        output=place,
    )
    return place


@pytest.fixture(scope="module")
def adapter(folder: Path) -> Adapter:
    return adaptkit.load_adapter(folder)


def test_both_texts_stand_in_a_row_and_tokens_of_both_are_masked(module: ModuleType) -> None:
    model, notes = tiny_model(), list[str]()
    sentences = [Sentence(text, translation) for translation, text in PAIRS[:30]] + [Sentence("Mbuzi amelala.", "")]
    training = module.TlmTraining(module.Tlm(mask_share=0.5), model, notes.append)
    data = training.data(tokenized(sentences, model, notes.append))
    expected = model.backbone.tokenize_two([(text, translation) for translation, text in PAIRS[:30]])
    assert list(data.sentences) == [ids for ids, _ in expected]
    assert notes == ["1 of 31 sentences have no translation beside them"]
    loss = training.loss(model.attach_layers("language/sw", LORA), data, torch.float32)
    rows = list(range(8))
    plain = data.batch(rows, model.backbone)
    changed = loss.prepare(plain).ids != plain.ids
    second = torch.tensor([expected[row][1] for row in rows])[:, None] <= torch.arange(plain.ids.shape[1])
    for part in (changed & second, changed & ~second):
        assert bool(part.any())


def test_the_card_has_its_paper_and_its_settings(folder: Path, adapter: Adapter) -> None:
    assert adapter.training is not None
    assert adapter.training.objective == "tlm"
    assert adapter.training.settings["mask_share"] == 0.25
    assert adapter.training.pseudo_perplexity_after is not None
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "translation language modelling: Lample and Conneau 2019, arXiv:1901.07291" in card
    assert "- Recipe: tlm; 4 steps" in card
    assert "mask_share 0.25" in card


def test_it_is_attached_and_served_beside_others(adapter: Adapter) -> None:
    model = tiny_model()
    other = random_adapter(model, adapter.config, name="ha", seed=3)
    model.attach(adapter, other)
    texts = [text for text, _ in PAIRS[:6]]
    stacks = [adaptkit.Stack(), adaptkit.Stack("language/sw"), adaptkit.Stack("language/ha")] * 2
    together = model.encode(texts, stacks=stacks)
    for text, stack, vector in zip(texts, stacks, together, strict=True):
        torch.testing.assert_close(model.encode([text], stack=stack)[0], vector, rtol=1e-4, atol=1e-5)


def test_it_is_evaluated(adapter: Adapter) -> None:
    assert stacks_evaluated(adapter, run=QUICK) == ["task/topics", "language/sw > task/topics"]


@pytest.mark.usefixtures("module")
def test_an_interrupted_run_is_resumed_to_the_same_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {"lang": "sw", "parallel": PAIRS, "objective": "tlm", "max_steps": 15, "batch_size": 8}
    whole = train_adapter(**asked, backbone=tiny_model(), output=tmp_path / "whole")
    train_and_interrupt(after=11, **asked, backbone=tiny_model(), output=tmp_path / "sw")
    display = CtrlC(after=0)
    monkeypatch.setattr("adaptkit.recipes.train.open_display", opener(display))
    resumed = train_adapter(**asked, backbone=tiny_model(), output=tmp_path / "sw", resume=True)
    assert "resuming at step 11 of 15" in display.notes
    assert resumed.weights_sha256 == whole.weights_sha256


def test_what_it_cannot_train_on_is_refused(module: ModuleType) -> None:
    with pytest.raises(ConfigError, match="translation language modelling needs sentences with their translations"):
        adaptkit.train_adapter(lang="sw", text=["mbuzi"] * 30, objective=module.Tlm(), run=QUICK)
    with pytest.raises(ConfigError, match="objective 'tlm' does not go with a decoder"):
        adaptkit.train_adapter(lang="sw", parallel=PAIRS, objective="tlm", backbone=tiny_model("llama"), run=QUICK)
    with pytest.raises(ConfigError, match=r"mask_share must be above 0 and below 1, found 1\.5"):
        module.Tlm(mask_share=1.5)


@pytest.mark.usefixtures("module")
def test_it_is_not_taken_where_the_objective_is_left_open() -> None:
    trained = adaptkit.train_adapter(lang="sw", parallel=PAIRS, backbone=tiny_model(), run=QUICK)
    assert trained.training is not None
    assert trained.training.objective == "distill"


@pytest.mark.usefixtures("module")
def test_the_page_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    example = (EXAMPLES / f"{NAME}.py").read_text(encoding="utf-8")
    options, row, use = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert options.splitlines()[-1] in example
    assert row in example
    monkeypatch.setattr("adaptkit.recipes.place.load_model", lambda *_, **__: tiny_model())
    names: dict[str, Any] = {}
    exec(use, names)  # noqa: S102 - our own page
    assert names["sw"].training.settings["mask_share"] == 0.2
