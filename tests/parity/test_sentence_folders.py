"""A folder of sentence-transformers gives here the vectors that it gives there."""

import json
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules.dense import Dense
from sentence_transformers.base.modules.module import Module
from sentence_transformers.base.modules.normalize import Normalize
from sentence_transformers.sentence_transformer.modules import Dropout, Pooling, Transformer
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

import adaptkit
from adaptkit.errors import CorruptBackbone, ProbeMismatch
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig
from tests.adapters import random_adapter
from tests.saved import saved_backbone

WIDTH = 32
TEXTS = ["Habari ya asubuhi", "The goat sleeps.", "Akuya tana barci a gida, kuma ba ta so ta tashi.", "a"]
MODES = ("mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
LORA = AdapterConfig(method=LoraConfig(rank=3, alpha=7))


def folder_of(path: Path, *after: Module, model_type: str = "bert", n_blocks: int = 2, **options: Any) -> Path:  # noqa: ANN401
    """A folder as sentence-transformers writes it."""
    bare = saved_backbone(path.with_name(f"{path.name}-bare"), model_type, n_blocks=n_blocks)
    pooling = {name: options.pop(name) for name in ("pooling_mode", "include_prompt") if name in options}
    reading = {name: options.pop(name) for name in ("max_seq_length",) if name in options}
    modules = [Transformer(str(bare), **reading), Pooling(WIDTH, **pooling), *after]
    SentenceTransformer(modules=modules, device="cpu", **options).save(str(path))
    return path


def theirs(path: Path, texts: Sequence[str] = TEXTS, **options: Any) -> Tensor:  # noqa: ANN401
    return torch.from_numpy(np.asarray(SentenceTransformer(str(path), device="cpu").encode(list(texts), **options)))


def assert_same(ours: Tensor, other: Tensor) -> None:
    assert ours.shape == other.shape
    assert float(cosine_similarity(ours, other).min()) > 1 - 1e-6
    # Sums over 32 values in another order: some units in the last place.
    torch.testing.assert_close(ours, other, rtol=1e-4, atol=1e-5)


def dense(n_out: int, *, bias: bool = True, activation: nn.Module | None = None) -> Dense:
    torch.manual_seed(4)
    return Dense(WIDTH, n_out, bias=bias, activation_function=activation or nn.Tanh())


@pytest.mark.parametrize(
    ("model_type", "mode"),
    [*(("bert", mode) for mode in MODES), ("xlm-roberta", "cls"), ("distilbert", "max"), ("qwen3", "lasttoken")],
)
def test_every_pooling(mode: str, model_type: str, tmp_path: Path) -> None:
    path = folder_of(tmp_path / "st", pooling_mode=mode, model_type=model_type)
    model = adaptkit.load_model(path)
    assert_same(model.encode(TEXTS), theirs(path))
    assert_same(model.encode(TEXTS, batch_size=1), theirs(path))


AFTER: dict[str, tuple[Module, ...]] = {
    "normalised": (Normalize(),),
    "projected": (dense(WIDTH),),
    "projected to fewer": (dense(8, bias=False, activation=nn.Identity()), Normalize()),
    "projected to more": (dense(48, activation=nn.GELU()),),
    "projected twice": (dense(WIDTH), Normalize(), dense(16, activation=nn.ReLU())),
    "with dropout": (Dropout(0.3), Normalize()),
}


@pytest.mark.parametrize("after", AFTER.values(), ids=AFTER)
@pytest.mark.parametrize("options", [{}, {"embeddings": "paged"}], ids=str)
def test_what_comes_after_pooling(options: dict[str, Any], after: tuple[Module, ...], tmp_path: Path) -> None:
    path = folder_of(tmp_path / "st", *after, pooling_mode="cls")
    assert_same(adaptkit.load_model(path, **options).encode(TEXTS), theirs(path))


@pytest.mark.parametrize(("include_prompt", "mode"), [(True, "mean"), *((False, mode) for mode in MODES)])
def test_prompts(include_prompt: bool, mode: str, tmp_path: Path) -> None:
    prompts = {"query": "query: ", "document": "The text is this: "}
    options: dict[str, Any] = {"pooling_mode": mode, "include_prompt": include_prompt, "prompts": prompts}
    path = folder_of(tmp_path / "st", default_prompt_name="document", **options)
    model = adaptkit.load_model(path)
    assert (model.backbone.text_prefix, model.backbone.prompts) == (prompts["document"], prompts)
    assert_same(model.encode(TEXTS), theirs(path))
    shared = adaptkit.as_sentence_transformer(model)
    assert_same(torch.from_numpy(shared.encode(TEXTS)), theirs(path))
    assert_same(torch.from_numpy(shared.encode(TEXTS, prompt_name="query")), theirs(path, prompt_name="query"))


def test_prompts_without_a_default_stand_before_nothing(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "st", prompts={"query": "query: "})
    model = adaptkit.load_model(path)
    assert model.backbone.text_prefix == ""
    assert_same(model.encode(TEXTS), theirs(path))
    shared = adaptkit.as_sentence_transformer(model)
    assert_same(torch.from_numpy(shared.encode(TEXTS, prompt_name="query")), theirs(path, prompt_name="query"))


def test_long_texts_are_cut_where_they_are_cut_there(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "st", max_seq_length=12)
    model = adaptkit.load_model(path)
    texts = [" ".join(TEXTS), *TEXTS]
    assert model.backbone.longest_sentence == 12
    assert_same(model.encode(texts), theirs(path, texts))
    assert_same(torch.from_numpy(adaptkit.as_sentence_transformer(model).encode(texts)), theirs(path, texts))
    assert not torch.allclose(model.encode(texts[:1], max_length=128), model.encode(texts[:1]))


def rewritten(path: Path, name: str, content: object) -> None:
    (path / name).write_text(json.dumps(content))


def test_the_old_form_of_the_folder(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "st", Normalize(), pooling_mode="cls")
    new = theirs(path)
    rewritten(
        path,
        "1_Pooling/config.json",
        {"word_embedding_dimension": WIDTH, "pooling_mode_cls_token": True}
        | {f"pooling_mode_{name}": False for name in ("mean_tokens", "max_tokens", "mean_sqrt_len_tokens")},
    )
    kinds = ["Transformer", "Pooling", "Normalize"]
    places = ["", "1_Pooling", "2_Normalize"]
    rewritten(
        path,
        "modules.json",
        [
            {"idx": at, "name": str(at), "path": place, "type": f"sentence_transformers.models.{kind}"}
            for at, (kind, place) in enumerate(zip(kinds, places, strict=True))
        ],
    )
    rewritten(path, "sentence_bert_config.json", {"max_seq_length": 128, "do_lower_case": False})
    for file in (path / "2_Normalize").iterdir():
        file.unlink()
    (path / "config_sentence_transformers.json").unlink()
    assert_same(adaptkit.load_model(path).encode(TEXTS), new)


REFUSED: dict[str, tuple[str, Any, str]] = {
    "two poolings": ("1_Pooling/config.json", {"pooling_mode": ["mean", "cls"]}, "several ways at once"),
    "a new pooling": ("1_Pooling/config.json", {"pooling_mode": "attention"}, "pools by 'attention'"),
    "another width": ("1_Pooling/config.json", {"pooling_mode": "cls", "embedding_dimension": 7}, "width 7"),
    "code": ("modules.json", [{"type": "custom_st.Transformer", "path": ""}], "code that is not run"),
    "no modules": ("modules.json", [], "lists no modules"),
    "no list": ("modules.json", {"a": 1}, "lists no modules"),
    "no types": ("modules.json", [{"path": ""}], "type and path as texts"),
    "another start": ("modules.json", [{"type": "sentence_transformers.models.BoW", "path": ""}], "begins with BoW"),
    "outside": ("modules.json", [{"type": "sentence_transformers.models.Pooling", "path": "../x"}], "'../x'"),
    "a default prompt that there is not": (
        "config_sentence_transformers.json",
        {"prompts": {"a": "b"}, "default_prompt_name": "c"},
        "default prompt 'c'",
    ),
    "prompts that are none": ("config_sentence_transformers.json", {"prompts": {"a": 1}}, "default prompt"),
    "small letters": ("sentence_bert_config.json", {"do_lower_case": True}, "small letters"),
    "no length": ("sentence_bert_config.json", {"max_seq_length": "long"}, "max_seq_length 'long'"),
    "another activation": (
        "2_Dense/config.json",
        {"in_features": WIDTH, "out_features": 8, "activation_function": "os.system"},
        "activation 'os.system'",
    ),
    "a residual": (
        "2_Dense/config.json",
        {"in_features": WIDTH, "out_features": 8, "use_residual": True},
        "use_residual",
    ),
    "a huge projection": ("2_Dense/config.json", {"in_features": WIDTH, "out_features": 10**9}, "out_features"),
    "a projection of another size": ("2_Dense/config.json", {"in_features": WIDTH, "out_features": 9}, "linear.bias"),
    "of something else": (
        "2_Dense/config.json",
        {"in_features": WIDTH, "out_features": 8, "module_input_name": "token_embeddings"},
        "token_embeddings",
    ),
}


@pytest.fixture(scope="module")
def projected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of(tmp_path_factory.mktemp("sentences") / "st", dense(8), pooling_mode="cls")


@pytest.mark.parametrize(("name", "content", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_computed_is_refused(
    name: str, content: object, message: str, projected: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copytree(projected, tmp_path / "st"))
    rewritten(path, name, content)
    with pytest.raises(CorruptBackbone, match=message):
        adaptkit.load_model(path)


@pytest.mark.parametrize("kind", ["LayerNorm", "WeightedLayerPooling", "Router"])
def test_other_modules_are_refused(kind: str, projected: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(projected, tmp_path / "st"))
    modules = json.loads((path / "modules.json").read_text())
    modules[-1]["type"] = f"sentence_transformers.models.{kind}"
    rewritten(path, "modules.json", modules)
    with pytest.raises(CorruptBackbone, match=f"is a module {kind}"):
        adaptkit.load_model(path)


def test_a_pickled_projection_is_refused_and_a_broken_one_named(projected: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(projected, tmp_path / "st"))
    weights = path / "2_Dense" / "model.safetensors"
    save_file({**load_file(weights), "linear.bias": torch.full((8,), float("nan"))}, weights)
    with pytest.raises(CorruptBackbone, match=r"linear\.bias holds NaN"):
        adaptkit.load_model(path)
    weights.rename(path / "2_Dense" / "pytorch_model.bin")
    with pytest.raises(CorruptBackbone, match=r"pickle.*SentenceTransformer\(folder\).save"):
        adaptkit.load_model(path)


def model_of(path: Path, *after: Module, **options: Any) -> AdaptedModel:  # noqa: ANN401
    return adaptkit.load_model(folder_of(path, *after, **options))


@pytest.mark.parametrize("after", [(Normalize(),), (dense(16), Normalize())], ids=["own width", "another"])
def test_a_saved_and_a_merged_backbone_keep_it(after: tuple[Module, ...], tmp_path: Path) -> None:
    prompts = {"query": "query: "}
    model = model_of(tmp_path / "st", *after, pooling_mode="cls", prompts=prompts, default_prompt_name="query")
    adapter = random_adapter(model, LORA)
    model.attach(adapter)
    model.backbone.save(tmp_path / "again")
    adaptkit.merge(model, adapter).save(tmp_path / "merged")
    for place, stack in ((tmp_path / "again", None), (tmp_path / "merged", adapter)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert_same(model.encode(TEXTS, stack=stack), theirs(place))
        again = adaptkit.load_model(place)
        assert_same(again.encode(TEXTS), model.encode(TEXTS, stack=stack))
        assert again.backbone.text_prefix == "query: "
    adaptkit.load_model(tmp_path / "again").attach(adapter)


def test_an_adapter_is_not_for_the_same_weights_pooled_otherwise(tmp_path: Path) -> None:
    model = model_of(tmp_path / "st", pooling_mode="cls")
    adapter = random_adapter(model, LORA)
    model.attach(adapter)
    (tmp_path / "st" / "modules.json").unlink()
    with pytest.raises(ProbeMismatch, match="here: mean pooling"):
        adaptkit.load_model(tmp_path / "st").attach(adapter)


@pytest.mark.parametrize("mode", ["cls", "weightedmean", "lasttoken"])
def test_onnx_and_sentence_transformers_pool_so_too(mode: str, tmp_path: Path) -> None:
    import onnxruntime

    model = model_of(tmp_path / "st", dense(16), Normalize(), pooling_mode=mode, n_blocks=1)
    adapter = random_adapter(model, LORA)
    model.attach(adapter)
    wanted = model.encode(TEXTS, stack=adapter)
    shared = adaptkit.as_sentence_transformer(model, adapter)
    assert shared.get_embedding_dimension() == 16
    assert_same(torch.from_numpy(shared.encode(TEXTS)), wanted)
    adaptkit.export_onnx(model, adapter, tmp_path / "onnx")
    session = onnxruntime.InferenceSession(tmp_path / "onnx" / "model.onnx", providers=["CPUExecutionProvider"])
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    (found,) = session.run(["sentence_embedding"], {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), wanted, rtol=1e-4, atol=1e-4)


def test_a_similarity_head_is_the_cosine_of_its_vectors(tmp_path: Path) -> None:
    model = model_of(tmp_path / "st", dense(16), pooling_mode="cls")
    head = HeadConfig(task_type="similarity")
    adapter = random_adapter(
        model, AdapterConfig(method=LoraConfig(rank=3, alpha=7), head=head), kind="task", name="close"
    )
    model.attach(adapter)
    first, second = model.encode(TEXTS[:2], stack=adapter)
    (found,) = model.predict([tuple(TEXTS[:2])], stack=adapter)
    assert found == pytest.approx(float(cosine_similarity(first, second, dim=0)), abs=1e-5)
