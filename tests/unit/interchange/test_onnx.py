"""What onnxruntime gives of a written stack is what the stack gives."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor
from transformers import AutoConfig, AutoTokenizer

import adaptkit
from adaptkit.errors import ConfigError, NotConvertible, UnknownAdapter
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.interchange import onnx
from adaptkit.interchange.onnx_outputs import TOLERANCE
from adaptkit.methods import BottleneckConfig, FusionConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel, StackLike
from adaptkit.task_types import HeadConfig
from tests.adapters import attach_random
from tests.saved import saved_backbone
from tests.tiny import tiny_model

BATCHES = [
    ["Habari"],
    ["The goat sleeps in the house."],
    ["Rain", "The goat eats grass under the old tree.", "A"],
    ["Akuya tana barci. " * 60, *["Rain"] * 6],
]
LABELS = ("a", "b", "c")
LORA = AdapterConfig(method=LoraConfig(rank=4))
BOTTLENECK = AdapterConfig(method=BottleneckConfig(reduction_factor=4), invertible=InvertibleConfig())


def run(session: onnxruntime.InferenceSession, output: str, ids: Tensor, mask: Tensor) -> Tensor:
    (found,) = session.run([output], {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
    assert found.dtype == np.float32
    return torch.from_numpy(found)


def vectors(session: onnxruntime.InferenceSession, model: AdaptedModel, texts: list[str]) -> Tensor:
    return run(session, "sentence_embedding", *model.backbone.pad(model.backbone.tokenize(texts)))


def opened(folder: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])


def same_vectors(folder: Path, model: AdaptedModel, stack: StackLike) -> None:
    for texts in BATCHES:
        found, wanted = vectors(opened(folder), model, texts), model.encode(texts, stack=stack)
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-4)
        assert not torch.allclose(found, model.encode(texts), atol=1e-2)


@pytest.mark.parametrize("model_type", ["deberta-v2", "llama"])
def test_vectors_are_those_of_encode(model_type: str, tmp_path: Path) -> None:
    model = tiny_model(model_type, n_blocks=1)
    attach_random(model, "language/sw", BOTTLENECK).eval()
    attach_random(model, "domain/farming", LORA).train()
    bare, stacked = model.encode(BATCHES[2]), model.encode(BATCHES[2], stack="sw > farming")
    with model.active("sw"):
        written = adaptkit.export_onnx(model, "sw > farming", tmp_path / "sw")
    assert written.path == tmp_path / "sw"
    assert written.output_error < TOLERANCE
    same_vectors(written.path, model, "sw > farming")
    ids, mask = model.backbone.pad(model.backbone.tokenize(BATCHES[1]))
    with torch.no_grad(), model.active("sw > farming"):
        hidden = model(ids, mask)
    torch.testing.assert_close(run(opened(written.path), "last_hidden_state", ids, mask), hidden, rtol=0, atol=1e-4)
    assert torch.equal(model.encode(BATCHES[2]), bare)
    assert torch.equal(model.encode(BATCHES[2], stack="sw > farming"), stacked)


def test_averages_and_fusions_are_written(tmp_path: Path) -> None:
    model = tiny_model(n_blocks=1)
    for seed, name in enumerate(("language/sw", "language/ha", "domain/farming", "domain/news")):
        attach_random(model, name, LORA, seed=seed).eval()
    fusion = AdapterConfig(method=FusionConfig(fuses=("language/sw", "language/ha"), width=4))
    attach_random(model, "language/both", fusion).eval()
    stack = adaptkit.Stack("language/both", adaptkit.Average({"domain/farming": 0.7, "domain/news": 0.3}))
    adaptkit.export_onnx(model, stack, tmp_path / "written")
    same_vectors(tmp_path / "written", model, stack)


def with_head(task_type: str, tmp_path: Path) -> AdaptedModel:
    model = tiny_model(n_blocks=1)
    model.backbone.text_prefix = "query: "
    attach_random(model, "language/sw", LORA).eval()
    head = HeadConfig(task_type=task_type, labels=LABELS)
    attach_random(model, "task/mine", AdapterConfig(method=LoraConfig(rank=2), head=head)).eval()
    adaptkit.export_onnx(model, "sw > mine", tmp_path / "mine")
    return model


def test_the_folder_is_all_that_classifying_needs(tmp_path: Path) -> None:
    model = with_head("classification", tmp_path)
    session, tokenizer = opened(tmp_path / "mine"), AutoTokenizer.from_pretrained(tmp_path / "mine")
    assert [output.name for output in session.get_outputs()] == ["logits"]
    assert session.get_modelmeta().custom_metadata_map == {
        "backbone": "tiny-bert",
        "stack": "language/sw > task/mine",
        "text_prefix": "query: ",
        "max_length": "140",
        "task_type": "classification",
        "labels": '["a", "b", "c"]',
    }
    assert AutoConfig.from_pretrained(tmp_path / "mine").id2label == dict(enumerate(LABELS))
    for texts in BATCHES:
        read = [f"query: {text}" for text in texts]
        given = tokenizer(read, return_tensors="pt", padding=True, truncation=True, max_length=140)
        found = run(session, "logits", given["input_ids"], given["attention_mask"]).softmax(dim=-1)
        wanted = [list(answer.probabilities.values()) for answer in model.predict(texts, stack="sw > mine")]
        torch.testing.assert_close(found, torch.tensor(wanted), rtol=0, atol=1e-4)


def test_logits_of_every_token(tmp_path: Path) -> None:
    model = with_head("tagging", tmp_path)
    session = opened(tmp_path / "mine")
    for texts in BATCHES:
        words = [text.split() or ["x"] for text in texts]
        rows = model.backbone.tokenize_words(words)
        best = run(session, "logits", *model.backbone.pad([ids for ids, _ in rows])).argmax(dim=-1)
        for (_, places), answers, answer in zip(rows, best, model.predict(words, stack="sw > mine"), strict=True):
            assert [LABELS[int(answers[place])] for place in places] == list(answer.tags[: answer.n_read])


def test_what_comes_out_otherwise_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_mask(written: onnx._Outputs, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        hidden: Tensor = written.network.network.get_submodule("embeddings")(ids)
        return hidden * mask[..., None], hidden.mean(dim=1)

    monkeypatch.setattr(onnx._Outputs, "forward", without_mask)
    with pytest.raises(NotConvertible, match="nothing was written"):
        adaptkit.export_onnx(tiny_model(n_blocks=1), None, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_refused(model: AdaptedModel, tmp_path: Path) -> None:
    with pytest.raises(UnknownAdapter):
        adaptkit.export_onnx(model, "sw", tmp_path / "out")
    (tmp_path / "mine").mkdir()
    with pytest.raises(ConfigError, match="exists already"):
        adaptkit.export_onnx(model, None, tmp_path / "mine")
    folder = saved_backbone(tmp_path / "tiny")
    for options in ({"bits": 8}, {"bits": 16}, {"embeddings": "paged"}):
        with pytest.raises(NotConvertible, match="bits=32 and resident"):
            adaptkit.export_onnx(adaptkit.load_model(folder, **options), None, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_adapter_that_translates_is_refused(tmp_path: Path) -> None:
    model = tiny_model("llama", n_blocks=1)
    head = HeadConfig(task_type="translation", source_language="en", target_languages=("sw",))
    attach_random(model, "task/en-sw", AdapterConfig(method=LoraConfig(rank=2), head=head))
    with pytest.raises(NotConvertible, match=r"model\.translate"):
        adaptkit.export_onnx(model, "en-sw", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_without_the_packages_the_error_says_what_to_install(
    model: AdaptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent: Any = None
    monkeypatch.setitem(sys.modules, "onnxscript", absent)
    with pytest.raises(ConfigError, match=r"adaptkit-nlp\[onnx\]"):
        adaptkit.export_onnx(model, None, tmp_path / "out")
