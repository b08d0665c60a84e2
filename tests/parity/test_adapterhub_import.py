"""What AdapterHub's `adapters` saved gives the same here, and what cannot be computed is refused.

The folders are those of `adapterhub/folders`; `adapterhub/record_folders.py` says how to write them again.
"""

import io
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import adaptkit
from adaptkit.backbones import Backbone
from adaptkit.config import RESIDUAL_SITES
from adaptkit.errors import (
    AdapterFileError,
    ArchitectureMismatch,
    BackboneMismatch,
    ConfigError,
    LimitExceeded,
    MalformedConfig,
    MalformedTensorFile,
    NonFiniteTensor,
    NotAnAdapter,
    NotConvertible,
    TensorDtypeMismatch,
    TensorSetMismatch,
    TensorShapeMismatch,
    UnknownLanguage,
)
from adaptkit.interchange import written_by
from adaptkit.methods import BottleneckConfig, BottleneckMadxConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from tests.calls import train_adapter
from tests.parity.adapterhub.compare import recorded_states, states_of
from tests.parity.adapterhub.families import network_of
from tests.parity.adapterhub.formula import INPUTS
from tests.tiny import tiny_model, tiny_tokenizer

FOLDERS = Path(__file__).parent / "adapterhub" / "folders"
RECORDED = json.loads((FOLDERS / "recorded.json").read_text(encoding="utf-8"))
OUTPUTS = RECORDED["outputs"]
BARE = [name for name in OUTPUTS if name.startswith("bare ")]
STACKS = [name for name in OUTPUTS if " > " in name]
SINGLE = [name for name in OUTPUTS if name not in {*BARE, *STACKS}]
STARTS = {"xlmr": "xlm-roberta", "roberta": "roberta", "distilbert": "distilbert", "deberta": "deberta-v2"}
SAFE, PICKLE, CONFIG, HEAD = "adapter.safetensors", "pytorch_adapter.bin", "adapter_config.json", "head_config.json"


@cache
def of_family(family: str) -> AdaptedModel:
    network = network_of(family).requires_grad_(requires_grad=False)
    backbone = Backbone(name=family, release="formula", text_prefix="", network=network, tokenizer=tiny_tokenizer())
    return AdaptedModel(backbone)


def model_for(name: str) -> AdaptedModel:
    return of_family(STARTS.get(name.partition("_")[0], "bert"))


def imported(name: str | Path, model: AdaptedModel | None = None, **options: Any) -> Adapter:  # noqa: ANN401
    folder = FOLDERS / name
    chosen = model or model_for(folder.name)
    return adaptkit.import_adapterhub(folder, lang="sw", backbone=chosen, **options)


def outputs(model: AdaptedModel, *adapters: Adapter) -> Tensor:
    model.attach(*adapters)
    try:
        return states_of(model, INPUTS, " > ".join(adapter.id for adapter in adapters))
    finally:
        model.detach(*(adapter.id for adapter in adapters))


def assert_recorded(found: Tensor, name: str) -> None:
    torch.testing.assert_close(found, recorded_states(OUTPUTS, name), rtol=0, atol=1e-5)


def test_the_recording_is_of_the_version_that_these_tests_speak_of() -> None:
    assert RECORDED["versions"]["adapters"] == "1.3.0"


@pytest.mark.parametrize("name", BARE)
def test_the_bare_backbones_are_the_same(name: str) -> None:
    assert_recorded(states_of(of_family(name.removeprefix("bare ")), INPUTS), name)


@pytest.mark.parametrize("name", SINGLE)
def test_outputs_are_those_of_adapterhub(name: str, tmp_path: Path) -> None:
    model = model_for(name)
    adapter = imported(name, licence="CC0-1.0", allow_pickle=name == "pickled")
    assert (adapter.id, adapter.language, adapter.card.licence) == ("language/sw", "sw", "CC0-1.0")
    assert "AdapterHub" in adapter.card.source
    assert model.attached == ()
    found = outputs(model, adapter)
    assert_recorded(found, name)
    assert float((found - states_of(model, INPUTS)).abs().max()) > 0.5
    # And the same, bit for bit, from a folder of ours.
    assert torch.equal(outputs(model, adaptkit.load_adapter(adapter.save(tmp_path / "sw"))), found)


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_of_them_is_their_stack(name: str) -> None:
    model, parts = of_family("bert"), name.split(" > ")
    lowest = imported(parts[0])
    others = [imported(part, domain=f"part-{number}") for number, part in enumerate(parts[1:])]
    assert_recorded(outputs(model, lowest, *others), name)


def test_the_methods_that_they_become() -> None:
    both = RESIDUAL_SITES
    assert imported("seq_bn").config.method == BottleneckMadxConfig(width=8)
    narrow = imported("seq_bn_narrow_inv").config
    assert narrow.method == BottleneckMadxConfig(width=8, activation="gelu", sites=both, blocks=(1,))
    assert imported("bn_after_norm").config.method == BottleneckConfig(reduction_factor=2, sites=both)
    assert imported("lora").config.method == LoraConfig(rank=4, alpha=6, sites=("attention.query", "attention.value"))
    assert imported("seq_bn_inv").config.invertible is not None


def test_a_domain_adapter(tmp_path: Path) -> None:
    adapter = imported("seq_bn", domain="news")
    assert (adapter.id, adapter.language) == ("domain/news", "sw")
    assert '"format_version": 4' in (adapter.save(tmp_path / "news") / "adaptkit.json").read_text()


def test_a_head_that_predicts_tokens_is_left_out_and_the_card_says_so() -> None:
    assert (FOLDERS / "xlmr_seq_bn_inv" / HEAD).exists()
    assert "head (masked_lm) is left out" in imported("xlmr_seq_bn_inv").card.source
    assert "head" not in imported("seq_bn").card.source


@pytest.mark.parametrize(
    ("name", "said"),
    [("/a/b/xlmr", "on xlmr"), ("org/xlmr", "on org/xlmr"), ("", "a backbone without a name"), (3, "without a name")],
)
def test_the_card_says_what_the_folder_says_of_its_backbone(folder: Path, name: object, said: str) -> None:
    put(folder, model_name=name)
    assert imported(folder).card.source.endswith(said)


def test_a_task_is_trained_on_top_of_one() -> None:
    model, language = tiny_model(), imported("seq_bn_inv", tiny_model())
    texts = {"The goat eats grass.": "animals", "Rain fills the barrel.": "weather"}
    examples = [{"text": f"{text} {number}", "label": label} for number in range(12) for text, label in texts.items()]
    options: dict[str, Any] = {"lang": "en", "backbone": model, "max_steps": 2, "progress": False}
    task = train_adapter(task="topics", data=examples, on=[language], method="bottleneck", **options)
    assert task.below == ("language/sw",)
    if language.id not in model.attached:
        model.attach(language)
    model.attach(task)
    with_it, without = (model.encode(["Mbuzi"], stack=stack) for stack in (task, "task/topics"))
    assert not torch.allclose(with_it, without, atol=1e-2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound folder to spoil."""
    return Path(shutil.copytree(FOLDERS / "seq_bn_inv", tmp_path / "seq_bn_inv"))


@pytest.fixture
def lora_folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDERS / "lora", tmp_path / "lora"))


@pytest.fixture
def pickled(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDERS / "pickled", tmp_path / "pickled"))


def put(folder: Path, *, file: str = CONFIG, inner: dict[str, Any] | None = None, **fields: object) -> None:
    """Set fields of the config, or with `inner` those of the config inside it; None beside a name takes it away."""
    content = json.loads((folder / file).read_text())
    content |= fields
    content["config"] = {**content["config"], **(inner or {})} if "config" not in fields else fields["config"]
    (folder / file).write_text(json.dumps(content))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "parallel": ({"is_parallel": True}, "is_parallel"),
    "Compacter": ({"phm_layer": True}, "phm_layer"),
    "gating": ({"use_gating": True}, "use_gating"),
    "a norm before": ({"ln_before": True}, "ln_before"),
    "a norm after": ({"ln_after": True}, "ln_after"),
    "cross attention": ({"cross_adapter": True}, "cross_adapter"),
    "a learned scale": ({"scaling": "learned"}, "scaling 'learned'"),
    "scales of channels": ({"scaling": "channel"}, "scaling 'channel'"),
    "GLOW": ({"inv_adapter": "glow"}, "glow"),
    "before the sum": ({"original_ln_before": False}, "original_ln_before False"),
    "a residual after the norm": ({"residual_before_ln": False}, "residual_before_ln False"),
    "a residual after the sum": ({"residual_before_ln": "post_add"}, "post_add"),
    "an activation": ({"non_linearity": "gelu_new"}, "gelu_new"),
    "no layers": ({"output_adapter": False}, "no bottleneck"),
    "not known yet": ({"use_something_new": 0}, "use_something_new"),
    "an architecture": ({"architecture": "prefix_tuning"}, "prefix_tuning"),
    "a union": ({"architecture": "union", "configs": []}, "union"),
    "wider than the backbone, inside": (
        {"original_ln_after": False, "residual_before_ln": False, "reduction_factor": 0.5},
        "below 1",
    ),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_computed_is_refused(change: dict[str, Any], message: str, folder: Path) -> None:
    put(folder, inner=change)
    with pytest.raises(NotConvertible, match=message):
        imported(folder)


REFUSED_LORA: dict[str, tuple[dict[str, Any], str]] = {
    "(IA)^3": ({"composition_mode": "scale"}, "composition_mode 'scale'"),
    "gating": ({"use_gating": True}, "use_gating"),
    "DoRA": ({"use_dora": True}, "use_dora"),
    "VeRA": ({"vera_d": 0.1}, "vera_d"),
    "half of VeRA": ({"vera_b": 0.0}, "vera_b"),
    "another matrix": ({"attn_matrices": ["q", "o"]}, "'o'"),
    "half precision": ({"dtype": "float16"}, "dtype"),
    "of many tasks": ({"architecture": "mtl_lora"}, "mtl_lora"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED_LORA.values(), ids=REFUSED_LORA)
def test_what_no_lora_of_ours_computes_is_refused(change: dict[str, Any], message: str, lora_folder: Path) -> None:
    put(lora_folder, inner=change)
    with pytest.raises(NotConvertible, match=message):
        imported(lora_folder)


MALFORMED: dict[str, tuple[type[Exception], dict[str, Any]]] = {
    "no factor": (MalformedConfig, {"reduction_factor": None}),
    "a factor of zero": (MalformedConfig, {"reduction_factor": 0}),
    "a factor below zero": (MalformedConfig, {"reduction_factor": -4}),
    "a tiny factor": (LimitExceeded, {"reduction_factor": 1e-300}),
    "a factor that is a text": (MalformedConfig, {"reduction_factor": "4"}),
    "factors of some blocks": (MalformedConfig, {"reduction_factor": {"1": 4}}),
    "no block": (MalformedConfig, {"leave_out": [0, 1]}),
    "blocks that are texts": (MalformedConfig, {"leave_out": ["0"]}),
    "a switch that is a number": (MalformedConfig, {"output_adapter": 1}),
    "no activation": (MalformedConfig, {"non_linearity": None}),
    "no inner factor": (MalformedConfig, {"inv_adapter_reduction_factor": None}),
    "a tiny inner factor": (MalformedConfig, {"inv_adapter_reduction_factor": 1e-9}),
    "a large inner factor": (MalformedConfig, {"inv_adapter_reduction_factor": 17}),
    "another factor": (TensorShapeMismatch, {"reduction_factor": 4}),
    "an invertible layer that is not there": (TensorSetMismatch, {"inv_adapter": None}),
    "a norm for attention that is not there": (TensorSetMismatch, {"mh_adapter": True}),
}


@pytest.mark.parametrize(("error", "change"), MALFORMED.values(), ids=MALFORMED)
def test_a_config_that_lies(error: type[Exception], change: dict[str, Any], folder: Path) -> None:
    put(folder, inner=change)
    with pytest.raises(error):
        imported(folder)


@pytest.mark.parametrize(
    "change", [{"r": 0}, {"r": 1.5}, {"r": 5}, {"r": 10**6}, {"alpha": 0}, {"alpha": 1e9}, {"alpha": "6"}]
)
def test_a_lora_config_that_lies(change: dict[str, Any], lora_folder: Path) -> None:
    put(lora_folder, inner=change)
    with pytest.raises(AdapterFileError):
        imported(lora_folder)


def test_before_version_1_1_alpha_was_taken_to_be_the_rank(lora_folder: Path) -> None:
    put(lora_folder, version="adapters.1.0.1")
    assert imported(lora_folder).config.method == LoraConfig(
        rank=4, alpha=4, sites=("attention.query", "attention.value")
    )
    put(lora_folder, version="adapters.1.1.0.dev0")
    with pytest.raises(NotConvertible, match="alpha = r"):
        imported(lora_folder)


def test_before_there_was_a_version_gelu_meant_another(folder: Path) -> None:
    content = json.loads((folder / CONFIG).read_text())
    del content["version"]
    content["config"]["non_linearity"] = "gelu"
    (folder / CONFIG).write_text(json.dumps(content))
    with pytest.raises(NotConvertible, match="gelu_new"):
        imported(folder)
    content["config"]["non_linearity"] = "gelu_orig"
    (folder / CONFIG).write_text(json.dumps(content))
    method = imported(folder).config.method
    assert isinstance(method, BottleneckMadxConfig)
    assert method.activation == "gelu"


DOWN = "encoder.layer.0.output.adapters.seq_bn_inv.adapter_down.0.bias"
BROKEN: dict[str, tuple[type[Exception], Callable[[dict[str, Tensor]], object]]] = {
    "a missing tensor": (TensorSetMismatch, lambda tensors: tensors.pop(DOWN)),
    "another tensor": (TensorSetMismatch, lambda tensors: tensors.update(other=torch.zeros(1))),
    "of another adapter": (
        TensorSetMismatch,
        lambda tensors: tensors.update({DOWN.replace("seq_bn_inv", "other"): tensors.pop(DOWN)}),
    ),
    "under another model's name": (
        TensorSetMismatch,
        lambda tensors: tensors.update({f"bert.{DOWN}": tensors.pop(DOWN)}),
    ),
    "under the old name too": (
        MalformedTensorFile,
        lambda tensors: tensors.update({DOWN.replace(".adapters", ".layer_text_lang_adapters"): torch.zeros(16)}),
    ),
    "another width": (TensorShapeMismatch, lambda tensors: tensors.update({DOWN: torch.zeros(15)})),
    "NaN": (NonFiniteTensor, lambda tensors: tensors.update({DOWN: torch.full((16,), float("nan"))})),
    "whole numbers": (TensorDtypeMismatch, lambda tensors: tensors.update({DOWN: torch.zeros(16, dtype=torch.int32)})),
    "numbers that are too large": (NotConvertible, lambda tensors: tensors.update({DOWN: torch.full((16,), 3e38)})),
    "nothing": (TensorSetMismatch, lambda tensors: tensors.clear()),
}


@pytest.mark.parametrize(("error", "spoil"), BROKEN.values(), ids=BROKEN)
def test_broken_weights_are_refused(
    error: type[Exception], spoil: Callable[[dict[str, Tensor]], object], folder: Path
) -> None:
    tensors = load_file(folder / SAFE)
    spoil(tensors)
    save_file(tensors, folder / SAFE)
    with pytest.raises(error) as caught:
        imported(folder)
    assert type(caught.value) is error


@pytest.mark.parametrize("allow_pickle", [False, True])
def test_a_pickle_under_a_safe_name(pickled: Path, allow_pickle: bool) -> None:
    (pickled / PICKLE).rename(pickled / SAFE)
    with pytest.raises(MalformedTensorFile, match="pickle"):
        imported(pickled, allow_pickle=allow_pickle)


def test_a_pickle_is_read_only_where_that_is_said(pickled: Path) -> None:
    with pytest.raises(NotConvertible, match="allow_pickle=True"):
        imported(pickled)


def test_beside_safetensors_a_pickle_is_not_looked_at(folder: Path) -> None:
    (folder / PICKLE).write_bytes(b"no pickle at all")
    assert imported(folder, allow_pickle=True).weights_sha256 == imported(folder).weights_sha256


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_that_would_run_code(pickled: Path, tmp_path: Path, zipped: bool, protocol: int) -> None:
    mark = tmp_path / "code was run"
    content = {**torch.load(pickled / PICKLE, weights_only=True), "bomb": Bomb(mark)}
    torch.save(content, pickled / PICKLE, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    with pytest.raises(MalformedTensorFile, match="run code" if zipped else r"since version 1\.6"):
        imported(pickled, allow_pickle=True)
    assert not mark.exists()
    torch.load(pickled / PICKLE, weights_only=False)
    assert mark.exists()


def test_torchs_own_reader_would_run_nothing_either(
    pickled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adaptkit.interchange.pickled._check_program", lambda *_: None)
    mark = tmp_path / "code was run"
    torch.save({"bomb": Bomb(mark)}, pickled / PICKLE)
    with pytest.raises(MalformedTensorFile, match="UnpicklingError"):
        imported(pickled, allow_pickle=True)
    assert not mark.exists()


def test_a_pickle_that_asks_for_much_memory(pickled: Path) -> None:
    program = pickle.dumps(bytearray, protocol=2)[:-1] + b"J\xff\xff\xff\x7f\x85R."
    _put_archive(pickled, {"x/data.pkl": program, "x/version": b"3\n"})
    with pytest.raises(MalformedTensorFile, match="bytearray"):
        imported(pickled, allow_pickle=True)


def test_an_archive_that_is_larger_than_its_file(pickled: Path) -> None:
    _put_archive(pickled, {"x/data.pkl": b"\0" * 10**7}, zipfile.ZIP_DEFLATED)
    assert (pickled / PICKLE).stat().st_size < 10**5
    with pytest.raises(MalformedTensorFile, match="as torch writes"):
        imported(pickled, allow_pickle=True)


@pytest.mark.parametrize("program", [b"", b"\x80", b"}q\0", b"\xff\xff.", b"]."])
def test_a_pickle_that_is_broken(pickled: Path, program: bytes) -> None:
    _put_archive(pickled, {"x/data.pkl": program, "x/version": b"3\n", "x/byteorder": b"little"})
    with pytest.raises(MalformedTensorFile):
        imported(pickled, allow_pickle=True)


@pytest.mark.parametrize("length", [0, 3, 100, 3000])
def test_a_pickle_that_is_cut(pickled: Path, length: int) -> None:
    (pickled / PICKLE).write_bytes((pickled / PICKLE).read_bytes()[:length])
    with pytest.raises(MalformedTensorFile):
        imported(pickled, allow_pickle=True)


PICKLED = DOWN.replace("seq_bn_inv", "pickled")
BROKEN_PICKLES: dict[str, tuple[type[Exception], Callable[[dict[Any, Any]], object]]] = {
    "a missing tensor": (TensorSetMismatch, lambda content: content.pop(PICKLED)),
    "another tensor": (TensorSetMismatch, lambda content: content.update(other=torch.zeros(1))),
    "a number": (MalformedTensorFile, lambda content: content.update({PICKLED: 3})),
    "a name that is a number": (MalformedTensorFile, lambda content: content.__setitem__(3, torch.zeros(1))),
    "another width": (TensorShapeMismatch, lambda content: content.update({PICKLED: torch.zeros(3)})),
    "more than there is": (
        TensorShapeMismatch,
        lambda content: content.update({PICKLED: torch.zeros(1).expand(10**12)}),
    ),
    "Inf": (NonFiniteTensor, lambda content: content.update({PICKLED: torch.full((4,), float("inf"))})),
    # The program names the type of storage, so that it is refused before any tensor is made.
    "whole numbers": (
        MalformedTensorFile,
        lambda content: content.update({PICKLED: torch.zeros(4, dtype=torch.int32)}),
    ),
}


@pytest.mark.parametrize(("error", "spoil"), BROKEN_PICKLES.values(), ids=BROKEN_PICKLES)
def test_broken_pickled_weights_are_refused(
    error: type[Exception], spoil: Callable[[dict[Any, Any]], object], pickled: Path
) -> None:
    content = torch.load(pickled / PICKLE, weights_only=True)
    spoil(content)
    torch.save(content, pickled / PICKLE)
    with pytest.raises(error) as caught:
        imported(pickled, allow_pickle=True)
    assert type(caught.value) is error


def _put_archive(folder: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    (folder / PICKLE).write_bytes(content.getvalue())


def test_another_backbone_is_refused(folder: Path) -> None:
    with pytest.raises(ArchitectureMismatch, match="model_type 'bert'"):
        imported(folder, of_family("xlm-roberta"))
    with pytest.raises(TensorSetMismatch):
        imported(folder, tiny_model(n_blocks=3))
    put(folder, hidden_size=64)
    with pytest.raises(ArchitectureMismatch, match="hidden_size 64"):
        imported(folder)
    with pytest.raises(ArchitectureMismatch):
        imported(folder, tiny_model("llama"))


def test_what_is_imported_knows_its_backbone(folder: Path) -> None:
    other = tiny_model()
    adapter = imported(folder)
    with pytest.raises((ArchitectureMismatch, BackboneMismatch)):
        other.attach(adapter)
    with pytest.raises(BackboneMismatch):
        tiny_model(seed=3).attach(imported(folder, other))


def test_a_decoder_is_refused(folder: Path) -> None:
    put(folder, model_type="llama")
    with pytest.raises(NotConvertible, match="llama"):
        imported(folder, tiny_model("llama"))


def test_a_tasks_head_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDERS / "xlmr_seq_bn_inv", tmp_path / "xlmr_seq_bn_inv"))
    put(folder, file=HEAD, inner={"head_type": "classification"})
    with pytest.raises(NotConvertible, match="'classification'"):
        imported(folder)
    for model_class, is_read in {"BertForMaskedLM": True, "BertForTokenClassification": False, None: False}.items():
        put(folder, file=HEAD, config=None, model_class=model_class)
        if is_read:
            assert f"({model_class}) is left out" in imported(folder).card.source
        else:
            with pytest.raises(NotConvertible, match="without_head=True"):
                imported(folder)
    (folder / HEAD).unlink()
    with pytest.raises(NotConvertible, match="head without"):
        imported(folder)


def test_a_tasks_head_is_left_out_on_request(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDERS / "xlmr_seq_bn_inv", tmp_path / "xlmr_seq_bn_inv"))
    whole = imported(folder)
    put(folder, file=HEAD, inner={"head_type": "classification"})
    alone = imported(folder, without_head=True)
    assert "head (classification) is left out" in alone.card.source
    assert alone.probes == whole.probes
    (folder / HEAD).unlink()
    assert "is left out" in imported(folder, without_head=True).card.source
    (folder / "embedding.pt").write_bytes(b"")
    with pytest.raises(NotConvertible, match="embeddings of its own"):
        imported(folder, without_head=True)


def test_names_of_a_network_that_was_wrapped_in_training(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDERS / "xlmr_seq_bn_inv", tmp_path / "xlmr_seq_bn_inv"))
    tensors = {
        "module." + name.replace("layer.0.", "layer.0._orig_mod."): tensor
        for name, tensor in load_file(folder / SAFE).items()
    }
    save_file(tensors, folder / SAFE)
    assert imported(folder).probes == imported("xlmr_seq_bn_inv").probes


@pytest.mark.parametrize(
    "name", ["embedding.pt", "adapter_fusion_config.json", "adapter_interface.json", "pytorch_model_head.bin"]
)
def test_other_parts_are_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"{}")
    with pytest.raises(NotConvertible, match=name):
        imported(folder)


def test_which_library_wrote_a_folder(folder: Path, tmp_path: Path) -> None:
    assert written_by(folder) == "adapterhub"
    lora = imported("lora").save(tmp_path / "ours")
    assert written_by(lora) == "peft"
    with pytest.raises(NotConvertible, match="import_peft"):
        imported(lora, of_family("bert"))
    put(folder, peft_type="LORA")
    with pytest.raises(NotConvertible, match="both"):
        written_by(folder)
    (folder / CONFIG).write_text('{"architecture": "lora"}')
    with pytest.raises(NotConvertible, match="neither"):
        written_by(folder)
    with pytest.raises(NotAnAdapter):
        written_by(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content", [{"config": "seq_bn", "name": "a"}, {"config": None, "name": "a"}, {"config": {}, "name": 3}]
)
def test_a_config_of_another_form(folder: Path, content: dict[str, Any]) -> None:
    (folder / CONFIG).write_text(json.dumps(content))
    with pytest.raises(MalformedConfig):
        imported(folder)


def test_options_that_cannot_be_right(folder: Path) -> None:
    for domain in ("../x", ""):
        with pytest.raises(ConfigError):
            imported(folder, domain=domain)
    with pytest.raises(UnknownLanguage):
        adaptkit.import_adapterhub(folder, lang="Swahilii", backbone=of_family("bert"))
