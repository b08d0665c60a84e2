"""`train_adapter` as a user calls it, on a tiny backbone."""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch

import adaptkit
from adaptkit import Bottleneck, Lora, Mlm, Output, Pretrained, Run
from adaptkit.errors import ConfigError, EmptyCorpus, SourceNotFound, UnknownLanguage, UnsuitableText
from adaptkit.model import AdaptedModel
from adaptkit.training.objectives import MaskedObjective
from tests import calls
from tests.runs import PAIRS, SWAHILI, Watching, opener
from tests.tiny import tiny_model

SHORT = Run(max_steps=3, batch_size=8, progress=False)
QUICK: dict[str, Any] = {"lang": "sw", "run": SHORT}
ETHIOPIC = [f"ሰላም ለዓለም {'ቤት ' * number}ነው" for number in range(1, 31)]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a run says."""
    display = Watching()
    monkeypatch.setattr("adaptkit.recipes.train.open_display", opener(display))
    return display.notes


def test_a_trained_adapter_acts_and_is_saved(model: AdaptedModel, tmp_path: Path) -> None:
    adapter = adaptkit.train_adapter(
        **{**QUICK, "run": replace(SHORT, max_steps=8)}, text=SWAHILI, backbone=model, output=tmp_path / "sw"
    )
    loaded = adaptkit.load_adapter(tmp_path / "sw")
    assert (loaded.id, loaded.language, loaded.weights_sha256) == ("language/sw", "sw", adapter.weights_sha256)
    model.attach(loaded)
    assert not torch.equal(model.encode(SWAHILI[:2], stack=loaded), model.encode(SWAHILI[:2]))


EIGHT = replace(SHORT, max_steps=8)
OPTIONS: dict[str, dict[str, Any]] = {
    "bottleneck": {"method": Bottleneck(reduction_factor=4)},
    "invertible": {"method": "bottleneck", "invertible": True},
    "lora and invertible": {"invertible": True, "method": Lora(rank=2)},
    "rank stabilized, some sites and blocks": {
        "method": Lora(scaling="rank_stabilized", sites=("attention.query", "ffn.output"), blocks=(1,))
    },
    "whole words": {"objective": Mlm(whole_words=True)},
    "full vocabulary": {"objective": Mlm(full_vocabulary=True)},
    "gradient checkpointing": {"run": replace(EIGHT, gradient_checkpointing=True)},
    "no anchor": {"objective": Mlm(anchor=0.0)},
    "fp32": {"run": replace(EIGHT, precision="fp32")},
    "short sentences, few tokens": {"run": replace(EIGHT, max_length=8), "max_tokens": 300},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_options_train_load_and_attach(options: dict[str, Any], model: AdaptedModel, tmp_path: Path) -> None:
    adapter = adaptkit.train_adapter(
        **{**QUICK, "run": EIGHT, **options}, text=SWAHILI, backbone=model, output=tmp_path / "sw"
    )
    assert adapter.card.training is not None
    assert (adapter.card.training.objective, adapter.card.training.steps) == ("mlm", 8)
    model.attach(adaptkit.load_adapter(tmp_path / "sw"))
    # So few steps may all be worse than none; then the weights of the start are kept, and that is said.
    same = torch.equal(model.encode(SWAHILI[:2], stack=adapter), model.encode(SWAHILI[:2]))
    assert same == ("never better" in adapter.card.training.stopped_because)


def plain(folder: Path) -> Path:
    (folder / "corpus.txt").write_text("\n".join(SWAHILI), encoding="utf-8")
    return folder / "corpus.txt"


def packed(folder: Path) -> str:
    (folder / "corpus.txt.gz").write_bytes(gzip.compress("\n".join(SWAHILI).encode()))
    return str(folder / "corpus.txt.gz")


def rows(folder: Path) -> Path:
    (folder / "corpus.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in SWAHILI), encoding="utf-8")
    return folder / "corpus.jsonl"


SOURCES: dict[str, Callable[[Path], Any]] = {
    "a file": plain,
    "a packed file": packed,
    "a file of rows": rows,
    "several files": lambda folder: [plain(folder)],
    "a list": lambda _: SWAHILI,
    "an iterator": lambda _: iter(SWAHILI),
    "a data set": lambda _: datasets.Dataset.from_dict({"text": SWAHILI}),
    "a streamed data set": lambda _: datasets.Dataset.from_dict({"text": SWAHILI}).to_iterable_dataset(),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_kind_of_source_gives_the_same_adapter(
    source: Callable[[Path], Any], model: AdaptedModel, tmp_path: Path, expected: str
) -> None:
    adapter = adaptkit.train_adapter(**QUICK, text=source(tmp_path), backbone=model)
    assert adapter.weights_sha256 == expected
    assert adapter.card.n_lines == len(SWAHILI)


@pytest.fixture(scope="module")
def expected() -> str:
    return adaptkit.train_adapter(**QUICK, text=SWAHILI, backbone=tiny_model()).weights_sha256


@pytest.mark.parametrize(
    ("source", "objective"), [({"parallel": PAIRS}, "distill"), ({"text": SWAHILI}, "mlm")], ids=["parallel", "text"]
)
def test_auto_chooses_the_objective_and_says_why(
    source: dict[str, Any], objective: str, model: AdaptedModel, told: list[str]
) -> None:
    adapter = adaptkit.train_adapter(**{**QUICK, "run": replace(SHORT, progress=True)}, **source, backbone=model)
    assert adapter.card.training is not None
    assert adapter.card.training.objective == objective
    assert any(note.startswith(f"objective: {objective}, because ") for note in told)
    (cost,) = (note for note in told if "for 3 steps of 8; peak memory about" in note)
    assert re.match(r"cost: about \d+ s: \d+ s of preparation, and \d+ s for 3 steps", cost)


def test_parallel_text_can_be_used_for_masking(model: AdaptedModel) -> None:
    adapter = adaptkit.train_adapter(**QUICK, parallel=PAIRS, objective="mlm", backbone=model)
    assert adapter.card.training is not None
    assert adapter.card.training.pseudo_perplexity_after is not None


def test_without_text_the_hub_is_asked_and_the_sample_taken_and_both_are_said(
    model: AdaptedModel, told: list[str], tmp_path: Path
) -> None:
    adapter = adaptkit.train_adapter(**QUICK, backbone=model, output=tmp_path / "sw")
    assert "asking the hub for Wikipedia" in told[0]
    assert "taking the package's own sample" in told[1]
    assert (adapter.card.text_kind, adapter.card.licence) == ("sample", "Apache-2.0")
    assert adaptkit.load_adapter(tmp_path / "sw").card.text_kind == "sample"
    assert "Trained on the small sample" in (tmp_path / "sw" / "README.md").read_text(encoding="utf-8")


def test_a_language_that_is_nowhere_is_refused_with_those_that_are(model: AdaptedModel) -> None:
    with pytest.raises(SourceNotFound, match="'gn'; it has ha, sw, yo"):
        adaptkit.train_adapter(**{**QUICK, "lang": "Guarani"}, backbone=model)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parallel": PAIRS, "source_lang": "en", "anchor": 5.0}, "anchor does not go with objective 'distill'"),
        (
            {"parallel": PAIRS, "source_lang": "en", "whole_words": True, "head_warmup": 2},
            "head_warmup, whole_words do not",
        ),
        ({"text": SWAHILI, "inner_weight": 0.0}, "inner_weight does not go with objective 'mlm'"),
    ],
)
def test_options_that_an_objective_would_not_look_at_are_refused(
    options: dict[str, Any], message: str, model: AdaptedModel
) -> None:
    with pytest.raises(ConfigError, match=message):
        calls.train_adapter(lang="sw", **options, backbone=model)


def test_a_name_that_is_no_language_is_refused() -> None:
    with pytest.raises(UnknownLanguage, match="Did you mean Swahili"):
        adaptkit.train_adapter(**{**QUICK, "lang": "Swahilii"}, text=SWAHILI)


def test_text_that_the_tokenizer_cannot_read_is_refused_unless_forced(model: AdaptedModel, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {**QUICK, "lang": "am", "text": ETHIOPIC, "backbone": model, "output": tmp_path / "am"}
    with pytest.raises(UnsuitableText, match="force=True"):
        adaptkit.train_adapter(**arguments)
    assert list(tmp_path.iterdir()) == []
    assert adaptkit.train_adapter(**arguments, force=True).id == "language/am"


@pytest.mark.parametrize("text", [SWAHILI[:19], []], ids=["19 sentences", "none"])
def test_too_little_text_is_refused(text: list[str], model: AdaptedModel) -> None:
    with pytest.raises(EmptyCorpus):
        adaptkit.train_adapter(**QUICK, text=text, backbone=model)


@pytest.mark.parametrize("private", [True, False])
def test_private_keeps_file_names_out_of_the_folder(private: bool, model: AdaptedModel, tmp_path: Path) -> None:
    secret = plain(tmp_path).rename(tmp_path / "secret-diary.txt")
    adaptkit.train_adapter(**QUICK, text=secret, backbone=model, output=Output(tmp_path / "sw", private=private))
    written = b"".join(entry.read_bytes() for entry in (tmp_path / "sw").iterdir())
    assert (b"secret-diary" in written) is not private
    assert not any(sentence.encode() in written for sentence in SWAHILI)


def test_an_output_that_cannot_be_written_is_refused_before_training(model: AdaptedModel, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match=r"file/sw cannot be written: .*file is not a folder"):
        adaptkit.train_adapter(**QUICK, text=SWAHILI, backbone=model, output=tmp_path / "file" / "sw")
    assert not model.attached


def test_an_existing_output_is_refused_before_training(model: AdaptedModel, tmp_path: Path) -> None:
    (tmp_path / "sw").mkdir()
    with pytest.raises(ConfigError, match="exists already; nothing was trained"):
        adaptkit.train_adapter(lang="sw", text=tmp_path / "never-opened.txt", backbone=model, output=tmp_path / "sw")


def test_overwrite_replaces_an_adapter_and_nothing_else(model: AdaptedModel, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {**QUICK, "text": SWAHILI, "backbone": model}
    there, other = Output(tmp_path / "sw", overwrite=True), replace(SHORT, seed=1)
    adaptkit.train_adapter(**arguments, output=there)
    adapter = adaptkit.train_adapter(**{**arguments, "run": other}, output=there)
    assert adaptkit.load_adapter(tmp_path / "sw").weights_sha256 == adapter.weights_sha256
    for left in (".DS_Store", ".gitignore", ".adaptkit.sig.adaptkit-new-abcdefgh"):
        (tmp_path / "sw" / left).write_bytes(b"left")
    again = adaptkit.train_adapter(**{**arguments, "run": other}, output=there)
    assert again.weights_sha256 == adapter.weights_sha256
    assert (tmp_path / "sw" / ".gitignore").read_bytes() == b"left"
    (tmp_path / "link").symlink_to(tmp_path / "sw", target_is_directory=True)
    with pytest.raises(ConfigError, match="nothing was trained"):
        adaptkit.train_adapter(**arguments, output=Output(tmp_path / "link", overwrite=True))
    (tmp_path / "sw" / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="not an adapter's folder; nothing was trained"):
        adaptkit.train_adapter(**arguments, output=there)


def test_the_seed_decides_the_adapter_and_the_callers_random_state_is_left_alone(model: AdaptedModel) -> None:
    state = torch.get_rng_state()
    found = [
        adaptkit.train_adapter(
            lang="sw", text=SWAHILI, backbone=model, method=Lora(dropout=0.2), run=replace(SHORT, seed=seed)
        ).weights_sha256
        for seed in (0, 0, 1)
    ]
    assert found[0] == found[1] != found[2]
    assert torch.equal(torch.get_rng_state(), state)


def is_clean(model: AdaptedModel) -> bool:
    hooked = any(module._forward_hooks for module in model.network.modules())
    return not hooked and not model.attached and model.network.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("progress", [True, False])
def test_the_callers_model_is_left_as_it_was(progress: bool, model: AdaptedModel) -> None:
    weights = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    adaptkit.train_adapter(**{**QUICK, "run": replace(SHORT, progress=progress)}, parallel=PAIRS, backbone=model)
    assert is_clean(model)
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.network.state_dict().items())


def broken_method(*_: object, **__: object) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("broken", ["__init__", "measures", "prepare"])
@pytest.mark.parametrize("progress", [True, False])
def test_an_error_leaves_nothing_on_the_callers_model(
    broken: str, progress: bool, model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MaskedObjective, broken, broken_method)
    with pytest.raises(ZeroDivisionError):
        adaptkit.train_adapter(**{**QUICK, "run": replace(SHORT, progress=progress)}, text=SWAHILI, backbone=model)
    assert is_clean(model)


def test_an_adapter_of_the_same_name_on_the_callers_model_stays(model: AdaptedModel) -> None:
    adapter = adaptkit.train_adapter(**QUICK, text=SWAHILI, backbone=model)
    model.attach(adapter)
    before = model.encode(SWAHILI[:2], stack=adapter)
    again = adaptkit.train_adapter(**QUICK, text=SWAHILI, backbone=model)
    assert (again.id, again.weights_sha256) == (adapter.id, adapter.weights_sha256)
    assert model.attached == (adapter.id,)
    assert torch.equal(model.encode(SWAHILI[:2], stack=adapter), before)


def test_a_device_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(ConfigError, match=r"no device 'nowhere'; give auto, cpu, cuda"):
        adaptkit.train_adapter(**QUICK, text=SWAHILI, backbone=Pretrained(device="nowhere"))


def test_a_large_source_is_read_only_as_far_as_it_is_trained_on(model: AdaptedModel) -> None:
    read: list[int] = []

    class Endless(Sequence[str]):
        def __len__(self) -> int:
            return 1_000_000

        def __getitem__(self, number: Any) -> Any:  # noqa: ANN401
            return f"{SWAHILI[number % 60]} {SWAHILI[number // 60 % 60]}"

        def __iter__(self) -> Iterator[str]:
            for number in range(len(self)):
                read.append(number)
                yield self[number]

    adapter = adaptkit.train_adapter(**QUICK, text=Endless(), max_tokens=2_000, backbone=model)
    assert 20 < adapter.card.n_lines < 200
    assert max(read) < 5_000
