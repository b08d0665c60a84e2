"""A method in one file outside the package goes wherever those of the package go."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

import adaptkit
from adaptkit.errors import ConfigError, MalformedConfig
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.folder import Folder
from adaptkit.format.structure import read_structure
from adaptkit.format.tensor_shapes import tensor_shapes
from adaptkit.methods import METHODS, LoraConfig
from adaptkit.storage import Adapter
from tests.adapters import random_adapter
from tests.examples import EXAMPLES, imported, stacks_evaluated
from tests.runs import PAIRS
from tests.tiny import tiny_model

NAME = "bitfit"
PAGE = EXAMPLES.parent / "how-to" / "add-a-method.md"
QUICK = adaptkit.Run(max_steps=25, batch_size=8, learning_rate=2e-2, progress=False)


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
        text=[text for _, text in PAIRS],
        method=module.Bitfit(),
        backbone=tiny_model(),
        run=QUICK,
        output=place,
    )
    return place


@pytest.fixture
def adapter(folder: Path) -> Adapter:
    return adaptkit.load_adapter(folder)


def test_it_trains_and_comes_back_as_it_was(adapter: Adapter, folder: Path) -> None:
    assert adapter.config.method_name == NAME
    assert all(name.endswith(".bias") for name in adapter.tensors)
    assert any(bool((tensor != 0).any()) for tensor in adapter.tensors.values())
    (found,) = adaptkit.Zoo(folder.parent).search(method=NAME)
    assert found.id == "language/sw"
    assert read_structure(Folder(folder)).n_parameters == adapter.n_parameters


def test_its_layers_add_to_what_they_follow(adapter: Adapter) -> None:
    model = tiny_model()
    model.attach(adapter)
    plan = model.plan("language/sw")
    assert {module.rpartition(".")[2] for module in plan} == {"query", "value", "dense"}
    for module, (layer,) in plan.items():
        bias = adapter.tensors[f"{module}.bias"]
        output = torch.randn(2, 3, len(bias))
        torch.testing.assert_close(layer(None, output), output + bias)


@pytest.mark.usefixtures("module")
def test_a_fresh_one_changes_nothing(module: ModuleType) -> None:
    model = tiny_model()
    bare = model.encode(["Mbuzi anakula nyasi."])
    layers = model.attach_layers("language/sw", AdapterConfig(method=module.BitfitConfig()))
    torch.testing.assert_close(model.encode(["Mbuzi anakula nyasi."], stack="language/sw"), bare, rtol=0, atol=0)
    shapes = tensor_shapes(layers.config, model.backbone.shape)
    assert {name: tuple(tensor.shape) for name, tensor in layers.named_tensors().items()} == shapes


def test_rows_of_a_batch_have_it_beside_others(adapter: Adapter, module: ModuleType) -> None:
    model = tiny_model()
    lora = random_adapter(model, AdapterConfig(method=LoraConfig(rank=4)), name="ha", seed=3)
    other = random_adapter(model, AdapterConfig(method=module.BitfitConfig(blocks=(0,))), name="yo", seed=4)
    model.attach(adapter, lora, other)
    texts = [text for text, _ in PAIRS[:8]]
    stacks = [adaptkit.Stack(), *(adaptkit.Stack(f"language/{name}") for name in ("sw", "ha", "yo"))] * 2
    together = model.encode(texts, stacks=stacks)
    for text, stack, vector in zip(texts, stacks, together, strict=True):
        torch.testing.assert_close(model.encode([text], stack=stack)[0], vector, rtol=1e-4, atol=1e-5)


def test_gradients_of_rows_are_those_of_each_alone(module: ModuleType) -> None:
    layers = [module.BitfitLayer(4) for _ in range(2)]
    x = torch.randn(2, 3, 4)
    result = x.clone()
    module.BitfitLayer.act_at_once(layers, result)
    torch.autograd.backward((result * torch.arange(4.0)).sum())
    for layer, rows in zip(layers, x, strict=True):
        torch.testing.assert_close(layer.bias.grad, len(rows) * torch.arange(4.0))


def test_it_is_evaluated_below_a_task(adapter: Adapter) -> None:
    assert stacks_evaluated(adapter, run=QUICK, method=NAME) == ["task/topics", "language/sw > task/topics"]


def test_the_card_has_its_paper(folder: Path) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "A bitfit adapter" in card
    assert "BitFit: Ben Zaken et al. 2022, arXiv:2106.10199" in card


def test_a_site_where_it_does_not_act_is_refused(module: ModuleType) -> None:
    with pytest.raises(ConfigError, match=r"bitfit cannot act at attention\.key"):
        module.BitfitConfig(sites=("attention.key",))


def test_without_the_file_its_adapters_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(METHODS, "_rows", {name: row for name, row in METHODS.items() if name != NAME})
    with pytest.raises(MalformedConfig, match=r"method 'bitfit' is not registered here; registered: lora"):
        adaptkit.load_adapter(folder)


@pytest.mark.embedded
@pytest.mark.usefixtures("module")
def test_the_page_runs() -> None:
    shown, used = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown in (EXAMPLES / f"{NAME}.py").read_text(encoding="utf-8")
    exec(used, {})  # noqa: S102 - a page of ours
