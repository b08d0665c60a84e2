"""One ONNX graph gives, with the weights of any LoRA or stack of them as inputs, what that stack gives."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
import torch

import adaptkit
from adaptkit.cli.export_adapter import export_adapter
from adaptkit.errors import ConfigError, NotConvertible, UnknownAdapter
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.interchange import onnx_adapter, onnx_zoo
from adaptkit.interchange.onnx_file import fed, opened
from adaptkit.layers.heads import TokenHead
from adaptkit.methods import BottleneckConfig, DoraConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig
from tests.adapters import random_adapter
from tests.saved import saved_backbone
from tests.tiny import tiny_model

Array: TypeAlias = npt.NDArray[Any]
Inputs: TypeAlias = dict[str, Array]

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "onnx-for-many.md"
TEXTS = ["Rain", "The goat eats grass under the old tree.", "A", "Habari ya asubuhi."]
LABELS = ("a", "b", "c")
STACKS: dict[str, str | adaptkit.Stack | adaptkit.Average] = {
    "sw": "sw",
    "ha": "ha",
    "sw-farming": "sw > farming",
    "mixed": adaptkit.Stack(adaptkit.Average({"language/sw": 0.7, "language/ha": 0.3}), "domain/farming"),
    "sw-topics": "sw > topics",
    "topics": "topics",
    "ha-names": "ha > names",
}
"""By the name of the file. `ha` acts at one site of one block, at another rank and scale than `sw`."""


@dataclass(frozen=True)
class Served:
    """A model, the folder of its backbone with stacks beside it, and a session on that."""

    model: AdaptedModel
    folder: Path
    session: onnxruntime.InferenceSession
    page: dict[str, Any]

    def run(self, output: str, texts: list[str], name: str | None = None, more: Inputs | None = None) -> Array:
        """What the graph gives, with the file of an adapter."""
        options = onnxruntime.RunOptions()
        if name is not None:
            adapter = onnxruntime.LoraAdapter()
            adapter.Load(str(self.folder / f"{name}.onnx_adapter"))
            options.add_active_adapter(adapter)
        ids, mask = self.model.backbone.pad(self.model.backbone.tokenize(texts))
        found: Array = self.session.run([output], {**fed(ids, mask), **(more or {})}, options)[0]
        return found

    def arrays(self, name: str) -> dict[str, Array]:
        """What the file of an adapter holds."""
        found: dict[str, Array] = self.page["read_adapter"](str(self.folder / f"{name}.onnx_adapter"))
        return found

    def bank(self, *names: str) -> dict[str, Array]:
        """Files side by side: number 0 is not an adapter, then they come in order."""
        found: dict[str, Array] = self.page["bank"](self.session, [self.arrays(name) for name in names])
        return found


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the blocks of the page leave behind, run on a tiny backbone: one export for all tests of the file."""
    model, blocks = (
        tiny_model(),
        re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE),
    )
    topics = AdapterConfig(method=LoraConfig(rank=2), head=HeadConfig(task_type="classification", labels=LABELS))
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("page"))
        random_adapter(model, AdapterConfig(method=LoraConfig(rank=4)), seed=0).save("adapters/sw")
        random_adapter(model, topics, kind="task", name="topics", seed=1).save("adapters/topics")
        patch.setattr("adaptkit.load_model", lambda: model)
        for block in blocks:
            exec(block, names)  # noqa: S102 - our own page
        names["folder"] = Path("served").resolve()
    return names


@pytest.fixture(scope="module")
def served(page: dict[str, Any]) -> Served:
    """The page's folder with more stacks in it."""
    model, folder = page["model"], page["folder"]
    names = HeadConfig(task_type="tagging", labels=LABELS, text_prefix="tags: ")
    for seed, (kind, name, config) in enumerate(
        (
            ("language", "ha", AdapterConfig(method=LoraConfig(rank=2, alpha=5.0, sites=("ffn.output",), blocks=(1,)))),
            ("domain", "farming", AdapterConfig(method=LoraConfig(rank=3, sites=("attention.query", "ffn.output")))),
            ("task", "names", AdapterConfig(method=LoraConfig(rank=2), head=names)),
        )
    ):
        model.attach(random_adapter(model, config, kind=kind, name=name, seed=seed + 2))  # type: ignore[arg-type]
    for name, stack in STACKS.items():
        if not (folder / f"{name}.onnx_adapter").exists():
            written = adaptkit.export_onnx_adapter(model, stack, folder, name=None if name == "ha" else name)
            assert (written.path, written.output_error < 1e-4) == (folder / f"{name}.onnx_adapter", True)
    return Served(model, folder, page["session"], page)


def close(found: Array, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(torch.from_numpy(found), wanted, rtol=0, atol=1e-4)


def test_the_page_does_what_it_says(page: dict[str, Any]) -> None:
    model, texts = page["model"], page["texts"]
    assert page["labels"] == [answer.label for answer in model.predict(texts, stack="sw > topics")]
    close(page["vectors"], model.encode(texts, stacks=["sw > topics", "sw", None]))
    with pytest.raises(ValueError, match="another backbone"):
        page["bank"](page["session"], [{"made_for.000000000000": np.zeros((1, 1, 1), np.float32)}])


@pytest.mark.parametrize("name", [None, *(name for name in STACKS if "topics" not in name and "names" not in name)])
def test_vectors_are_those_of_encode(name: str | None, served: Served) -> None:
    wanted = served.model.encode(TEXTS, stack=STACKS.get(name or ""))
    close(served.run("sentence_embedding", TEXTS, name), wanted)
    close(served.run("sentence_embedding", TEXTS[1:2], name), wanted[1:2])
    assert name is None or not torch.allclose(wanted, served.model.encode(TEXTS), atol=1e-2)


def test_every_row_has_an_adapter_of_its_own(served: Served) -> None:
    names, rows = ("sw", "ha", "sw-farming", "mixed"), np.array([4, 0, 2, 3, 1, 1, 0])
    texts = [*TEXTS, *TEXTS[:3]]
    found = served.run("sentence_embedding", texts, more={**served.bank(*names), "adapter_of_row": rows})
    stacks = [STACKS[names[row - 1]] if row else None for row in rows]
    close(found, served.model.encode(texts, stacks=stacks))
    one = served.run("sentence_embedding", texts, more={**served.bank(*names), "adapter_of_row": np.array([3])})
    close(one, served.model.encode(texts, stack=STACKS["sw-farming"]))


@pytest.mark.parametrize("name", ["sw-topics", "topics"])
def test_a_head_for_sentences(name: str, served: Served) -> None:
    answers = served.model.predict(TEXTS, stack=STACKS[name])
    wanted = torch.tensor([list(answer.probabilities.values()) for answer in answers])
    close(torch.from_numpy(served.run("logits", TEXTS, name)).softmax(dim=-1).numpy(), wanted)
    facts = json.loads((served.folder / f"{name}.json").read_text())
    assert (facts["output"], facts["labels"], facts["task_type"]) == ("logits", list(LABELS), "classification")


def test_a_head_for_tokens_beside_one_for_sentences(served: Served) -> None:
    model, bank = served.model, served.bank("sw-topics", "ha-names")
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    inputs = {**fed(ids, mask), **bank, "adapter_of_row": np.array([2, 1, 2, 1])}
    tags, topics = served.session.run(["token_logits", "logits"], inputs)
    hidden = model(ids, mask, stacks=["ha > names", "sw > topics"] * 2)
    names, of_topics = (model.pinned(stack).head for stack in ("names", "topics"))
    assert names is not None
    assert of_topics is not None
    real = mask[::2].bool()
    close(tags[::2][real.numpy()], names[0](hidden[::2], mask[::2])[real].detach())
    close(topics[1::2], of_topics[0](hidden[1::2], mask[1::2]).detach())
    facts = json.loads((served.folder / "ha-names.json").read_text())
    assert (facts["output"], facts["stack"]) == ("token_logits", "language/ha > task/names")
    assert facts["text_prefix"] == "tags: "
    assert json.loads((served.folder / "sw-topics.json").read_text())["text_prefix"] == model.backbone.text_prefix


def test_a_rank_is_the_sum_of_ranks_where_a_stack_acts(served: Served) -> None:
    arrays = served.arrays("sw-farming")
    at = "encoder.layer.0.attention.self"
    assert arrays[f"{at}.query.lora_A"].shape == (1, 32, 7)
    assert arrays[f"{at}.key.lora_A"].shape == (1, 32, 4)
    assert {name.rpartition(".")[0] for name in served.arrays("ha") if "lora" in name} == {
        "encoder.layer.1.output.dense"
    }


ALONE = """
import json, sys
sys.modules["torch"] = sys.modules["adaptkit"] = None
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1] + "/model.onnx")
adapter, options = onnxruntime.LoraAdapter(), onnxruntime.RunOptions()
adapter.Load(sys.argv[1] + "/sw.onnx_adapter")
options.add_active_adapter(adapter)
ids = np.array(json.loads(sys.argv[2]))
given = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
print(json.dumps(session.run(["sentence_embedding"], given, options)[0].tolist()))
"""


def test_neither_torch_nor_adaptkit_is_needed(served: Served) -> None:
    ids = served.model.backbone.tokenize(TEXTS[1:2])
    command = [sys.executable, "-c", ALONE, str(served.folder), json.dumps(ids)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: S603
    close(np.array(found, np.float32), served.model.encode(TEXTS[1:2], stack="sw"))


def test_the_graph_of_other_weights_takes_no_adapter(served: Served) -> None:
    other = tiny_model(n_blocks=2, seed=1)
    other.attach(random_adapter(other, AdapterConfig(method=LoraConfig(rank=4))))
    with pytest.raises(ConfigError, match=r"that of other weights \(made_for"):
        adaptkit.export_onnx_adapter(other, "sw", served.folder, name="other")
    assert not (served.folder / "other.onnx_adapter").exists()
    arrays = served.arrays("sw")
    mark = next(name for name in arrays if name.startswith("made_for."))
    arrays["made_for.000000000000"] = arrays.pop(mark)
    with pytest.raises(Exception, match=r"made_for\.0{12}"):
        served.run("sentence_embedding", TEXTS, more=arrays)


def test_what_is_no_sum_of_loras_is_refused_by_name(served: Served) -> None:
    model = served.model
    for name, config in {
        "narrow": AdapterConfig(method=BottleneckConfig(reduction_factor=4)),
        "turned": AdapterConfig(method=LoraConfig(rank=2), invertible=InvertibleConfig()),
        "dora": AdapterConfig(method=DoraConfig(rank=2)),
    }.items():
        model.attach(random_adapter(model, config, kind="domain", name=name))
        with pytest.raises(NotConvertible, match=f"domain/{name} in the stack is no LoRA alone .*export_onnx"):
            adaptkit.export_onnx_adapter(model, f"sw > {name}", served.folder)
        model.detach(name)
    with pytest.raises(UnknownAdapter):
        adaptkit.export_onnx_adapter(model, "yo", served.folder)
    assert {path.stem for path in served.folder.glob("*.onnx_adapter")} == set(STACKS)


def test_a_head_of_somebody_else_is_refused(served: Served) -> None:
    class Own(TokenHead):
        pass

    pinned = served.model.pinned("names")
    assert pinned.head is not None
    own = replace(pinned, head=(Own(hidden_width=32, n_outputs=3, dropout=0.0), pinned.head[1]))
    with pytest.raises(NotConvertible, match="is a Own, for which the graph"):
        adaptkit.export_onnx_adapter(served.model, own, served.folder, name="own")


def test_places_are_checked_before_anything_is_written(served: Served, tmp_path: Path) -> None:
    model = served.model
    for folder, stack, name, said in (
        (served.folder, "sw", None, "sw.onnx_adapter exists already"),
        (served.folder, "sw", "../out", "plain name of a file"),
        (served.folder, None, "bare", "an empty stack"),
        (tmp_path, "sw", None, "Write the backbone first"),
    ):
        with pytest.raises(ConfigError, match=said):
            adaptkit.export_onnx_adapter(model, stack, folder, name=name)
    with pytest.raises(ConfigError, match="exists already"):
        adaptkit.export_onnx_backbone(model, served.folder)
    held = adaptkit.load_model(saved_backbone(tmp_path / "tiny"), bits=8)
    with pytest.raises(NotConvertible, match="bits=32"):
        adaptkit.export_onnx_backbone(held, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


def test_what_comes_out_otherwise_is_not_kept(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    right = onnx_adapter._arrays
    monkeypatch.setattr(
        onnx_adapter, "_arrays", lambda *given: {name: 1.1 * array for name, array in right(*given).items()}
    )
    before = sorted(served.folder.iterdir())
    with pytest.raises(NotConvertible, match="nothing was written"):
        adaptkit.export_onnx_adapter(served.model, "sw", served.folder, name="again")
    assert sorted(served.folder.iterdir()) == before


def test_where_a_projection_reads_no_rows_all_rows_have_one_adapter(served: Served, tmp_path: Path) -> None:
    model = tiny_model("deberta-v2", n_blocks=1)
    model.attach(random_adapter(model, AdapterConfig(method=LoraConfig(rank=4))))
    folder = adaptkit.export_onnx_backbone(model, tmp_path / "deberta").path
    assert adaptkit.export_onnx_adapter(model, "sw", folder).output_error < 1e-4
    served = replace(served, model=model, folder=folder, session=opened(folder / "model.onnx"))
    close(
        served.run("sentence_embedding", TEXTS, more={**served.bank("sw"), "adapter_of_row": np.array([0])}),
        model.encode(TEXTS),
    )
    with pytest.raises(Exception, match="adapter_of_row"):
        served.run("sentence_embedding", TEXTS, more={**served.bank("sw"), "adapter_of_row": np.array([0, 1, 0, 1])})


@pytest.fixture
def beside(served: Served, tmp_path: Path) -> Served:
    """The same graph in a folder without adapters, and a zoo of two LoRAs and others that do not fit."""
    folder, zoo = tmp_path / "all", tmp_path / "zoo"
    folder.mkdir()
    for file in served.folder.iterdir():
        if file.suffix not in (".onnx_adapter", ".json") or file.name in ("config.json", "tokenizer.json"):
            (folder / file.name).symlink_to(file)
    model = tiny_model()
    topics = AdapterConfig(method=LoraConfig(rank=2), head=HeadConfig(task_type="classification", labels=LABELS))
    random_adapter(model, AdapterConfig(method=LoraConfig(rank=4)), seed=0).save(zoo / "sw")
    random_adapter(model, topics, kind="task", name="topics", seed=1).save(zoo / "topics")
    random_adapter(model, AdapterConfig(method=LoraConfig(rank=2)), kind="domain", name="sw", seed=2).save(zoo / "swd")
    narrow = AdapterConfig(method=BottleneckConfig(reduction_factor=4))
    random_adapter(model, narrow, kind="domain", name="narrow").save(zoo / "narrow")
    other = tiny_model(seed=1)
    random_adapter(other, AdapterConfig(method=LoraConfig(rank=2)), name="ha").save(zoo / "ha")
    return replace(served, model=model, folder=folder)


def adapter_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.endswith((".onnx_adapter", ".json")))


def test_a_zoo_is_written_in_one_go(beside: Served, tmp_path: Path) -> None:
    before, told = set(adapter_files(beside.folder)), list[str]()
    found = adaptkit.export_onnx_zoo(beside.model, tmp_path / "zoo", beside.folder, told=told.append)
    assert {name: each.path.name for name, each in found.written.items()} == {
        "domain/sw": "domain-sw.onnx_adapter",
        "language/sw": "language-sw.onnx_adapter",
        "task/topics": "topics.onnx_adapter",
    }
    assert found.left_out.keys() == {"domain/narrow", "language/ha"}
    assert "is no LoRA alone" in found.left_out["domain/narrow"]
    assert len(told) == 5
    new = set(adapter_files(beside.folder)) - before
    assert new == {
        f"{name}.{end}" for name in ("domain-sw", "language-sw", "topics") for end in ("onnx_adapter", "json")
    }
    for name in ("language-sw", "domain-sw"):
        close(beside.run("sentence_embedding", TEXTS, name), beside.model.encode(TEXTS, stack=name.replace("-", "/")))
    assert not [path for path in beside.folder.iterdir() if path.name.startswith(".")]


def test_no_two_adapters_of_a_zoo_have_the_same_files() -> None:
    ids = ["domain/language-sw", "language/sw", "task/sw", "task/topics"]
    assert onnx_zoo._names(ids) == {
        "domain/language-sw": "domain-language-sw",
        "language/sw": "language-sw",
        "task/sw": "task-sw",
        "task/topics": "topics",
    }
    assert onnx_zoo._names(["domain/config", "language/sw"]) == {"domain/config": "domain-config", "language/sw": "sw"}


def test_an_adapter_does_not_take_the_name_of_a_file_of_the_graph(beside: Served, tmp_path: Path) -> None:
    config = (beside.folder / "config.json").read_bytes()
    (tmp_path / "zoo" / "sw").rename(tmp_path / "sw")
    named = random_adapter(beside.model, AdapterConfig(method=LoraConfig(rank=2)), kind="domain", name="config", seed=3)
    named.save(tmp_path / "zoo" / "config")
    found = adaptkit.export_onnx_zoo(beside.model, tmp_path / "zoo", beside.folder)
    assert found.written["domain/config"].path.name == "domain-config.onnx_adapter"
    with pytest.raises(ConfigError, match=r"config.json belongs to the graph.*Give another name \(name="):
        adaptkit.export_onnx_adapter(beside.model, "domain/config", beside.folder)
    assert (beside.folder / "config.json").read_bytes() == config


def test_a_zoo_is_written_whole_or_not_at_all(beside: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, write = sorted(beside.folder.iterdir()), onnx_adapter._write

    def full(arrays: Any, path: Path) -> None:  # noqa: ANN401
        if path.name.startswith(".") or "topics" in path.name:
            raise OSError("the disk is full")
        write(arrays, path)

    monkeypatch.setattr(onnx_adapter, "_write", full)
    with pytest.raises(OSError, match="full"):
        adaptkit.export_onnx_zoo(beside.model, tmp_path / "zoo", beside.folder)
    assert sorted(beside.folder.iterdir()) == before
    monkeypatch.undo()
    seen: list[list[Path]] = []

    def exchanged(_: Path, folder: Path) -> None:
        seen.append(sorted(folder.iterdir()))
        raise KeyboardInterrupt

    monkeypatch.setattr("adaptkit.format.folder._put_in_place", exchanged)
    with pytest.raises(KeyboardInterrupt):
        adaptkit.export_onnx_zoo(beside.model, tmp_path / "zoo", beside.folder)
    assert seen == [before]
    assert sorted(beside.folder.iterdir()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all", "zoo"]
    (beside.folder / "topics.json").touch()
    with pytest.raises(ConfigError, match=r"topics.json exists already; nothing was written"):
        adaptkit.export_onnx_zoo(beside.model, tmp_path / "zoo", beside.folder)


def test_a_zoo_of_which_nothing_fits_is_told_with_every_reason(beside: Served, tmp_path: Path) -> None:
    for name in ("sw", "swd", "topics"):
        (tmp_path / "zoo" / name).rename(tmp_path / name)
    with pytest.raises(ConfigError, match=r"(?s)nothing was written.*domain/narrow: .*language/ha: "):
        adaptkit.export_onnx_zoo(beside.model, tmp_path / "zoo", beside.folder)


def test_the_command_takes_a_zoo(beside: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptkit.model.load_model", lambda _: beside.model)
    answer = export_adapter(beside.folder, [tmp_path / "zoo"], to="onnx-adapter")
    facts: dict[str, Any] = dict(answer.facts)
    assert set(facts["written"]) == {"domain/sw", "language/sw", "task/topics"}
    assert set(facts["left_out"]) == {"domain/narrow", "language/ha"}
    assert str(answer.words).endswith("left out: domain/narrow, language/ha")
    with pytest.raises(ConfigError, match="each under its own name; leave"):
        export_adapter(beside.folder, [tmp_path / "zoo"], to="onnx-adapter", name="all")
