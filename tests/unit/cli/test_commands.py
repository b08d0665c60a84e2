"""The commands as a user types them, on a tiny backbone in a folder."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from adaptkit import load_adapter, load_model
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from tests.adapters import random_adapter
from tests.runs import PAIRS, SWAHILI, CtrlC, opener
from tests.tiny import tiny_model

Command = Callable[..., Any]
ADAPTERHUB = Path(__file__).parents[2] / "parity" / "adapterhub" / "folders"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "corpus.txt").write_text("\n".join(SWAHILI), encoding="utf-8")
    return tmp_path / "corpus.txt"


@pytest.fixture
def trained(adaptkit: Command, corpus: Path, backbone_folder: Path, tmp_path: Path) -> Path:
    """The folder of an adapter that the command line trained."""
    options = ("--batch-size", 8, "--max-steps", 3, "--backbone", backbone_folder, "--no-progress")
    outcome = adaptkit("train", "--lang", "Swahili", "--text", corpus, "--output", tmp_path / "sw", *options)
    assert outcome.status == 0, outcome.err
    assert outcome.out.startswith("language/sw: held-out loss ")
    assert f"saved in {tmp_path / 'sw'}" in outcome.out
    return tmp_path / "sw"


def test_train_shows_its_plan_on_standard_error(adaptkit: Command, corpus: Path, backbone_folder: Path) -> None:
    outcome = adaptkit("train", "--lang", "sw", "--text", corpus, "--max-steps", 2, "--backbone", backbone_folder)
    assert outcome.status == 0
    assert "objective: mlm, because text without translations was given" in outcome.err
    assert "text: corpus.txt, 60 sentences" in outcome.err
    assert "nothing was saved: give --output FOLDER" in outcome.out


def test_mined_pairs_are_a_file_to_train_on(adaptkit: Command, backbone_folder: Path, tmp_path: Path) -> None:
    for name, side in (("en.txt", 0), ("sw.txt", 1)):
        (tmp_path / name).write_text("\n".join(pair[side] for pair in PAIRS), encoding="utf-8")
    files = ("--text", tmp_path / "sw.txt", "--translations", tmp_path / "en.txt", "--output", tmp_path / "en-sw.tsv")
    given = ("mine", "--lang", "sw", *files, "--threshold", 0.5, "--backbone", backbone_folder)
    outcome = adaptkit(*given)
    assert outcome.status == 0, outcome.err
    assert "60 sentences in sw, 60 in en; " in outcome.err
    command = f"adaptkit train --lang sw --parallel {tmp_path / 'en-sw.tsv'} --output adapters/sw"
    assert f"pairs are in {tmp_path / 'en-sw.tsv'}: look at them, then {command}" in outcome.out
    options = ("--max-steps", 2, "--backbone", backbone_folder, "--no-progress")
    assert adaptkit("train", "--lang", "sw", "--parallel", tmp_path / "en-sw.tsv", *options).status == 0
    again = adaptkit(*given)
    assert again.status == 1
    assert "en-sw.tsv exists already; nothing was mined" in again.err
    few = adaptkit(*given[:-4], "--threshold", 50, "--backbone", backbone_folder, "--output", tmp_path / "few.tsv")
    assert few.status == 0, few.err
    assert f"0 pairs are in {tmp_path / 'few.tsv'}; training needs at least 20" in few.out
    assert "adaptkit train" not in few.out


def test_texts_are_mined_under_a_stack_of_a_zoo(
    adaptkit: Command, backbone_folder: Path, zoo_folder: Path, tmp_path: Path
) -> None:
    for name, side in (("en.txt", 0), ("sw.txt", 1)):
        (tmp_path / name).write_text("\n".join(pair[side] for pair in PAIRS), encoding="utf-8")
    files = ("--text", tmp_path / "sw.txt", "--translations", tmp_path / "en.txt", "--output", tmp_path / "out.tsv")
    given = ("mine", "--lang", "sw", *files, "--backbone", backbone_folder, "--stack", "sw")
    outcome = adaptkit(*given)
    assert outcome.status == 1
    assert "the stack 'sw' names adapters, and nothing says where they are: give --zoo FOLDER" in outcome.err
    outcome = adaptkit(*given, "--zoo", zoo_folder)
    assert outcome.status == 0, outcome.err
    assert "encoding the sentences in sw under language/sw" in outcome.err
    assert "encoding the sentences in en with the frozen backbone" in outcome.err
    outcome = adaptkit(*given[:-1], "yo", "--output", tmp_path / "other.tsv", "--zoo", zoo_folder)
    assert "'yo' may mean language/yo or domain/yo" in outcome.err


def test_a_dictionary_is_given_as_a_file(
    adaptkit: Command, corpus: Path, backbone_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "sw_en.tsv").write_text("ya\tof\nna\tand\nkwa\tfor\nmaji\twater\n", encoding="utf-8")
    files = ("--text", corpus, "--lexicon", tmp_path / "sw_en.tsv")
    outcome = adaptkit("estimate", "--lang", "sw", *files, "--backbone", backbone_folder)
    assert outcome.status == 0, outcome.err
    assert "objective: gloss, because text was given with a dictionary" in outcome.out
    assert "of the words are in the dictionary" in outcome.out


def test_two_plain_files_are_a_pair(adaptkit: Command, backbone_folder: Path, tmp_path: Path) -> None:
    for name, side in (("en.txt", 0), ("sw.txt", 1)):
        (tmp_path / name).write_text("\n".join(pair[side] for pair in PAIRS), encoding="utf-8")
    parallel = ("--parallel", tmp_path / "en.txt", "--parallel", tmp_path / "sw.txt")
    options = ("--max-steps", 2, "--backbone", backbone_folder, "--output", tmp_path / "sw", "--no-progress")
    assert adaptkit("train", "--lang", "sw", *parallel, *options).status == 0
    card = load_adapter(tmp_path / "sw").card
    assert card.training is not None
    assert (card.training.objective, card.n_lines, card.source) == (
        "distill",
        60,
        "2 files: en.txt, sw.txt (to sw from a language not stated)",
    )


def test_several_files_of_rows_are_read_one_after_the_other(
    adaptkit: Command, backbone_folder: Path, tmp_path: Path
) -> None:
    lines = [json.dumps({"en": english, "sw": swahili}) for english, swahili in PAIRS]
    (tmp_path / "a.jsonl").write_text("\n".join(lines[:30]), encoding="utf-8")
    (tmp_path / "b.jsonl").write_text("\n".join(lines[30:]), encoding="utf-8")
    parallel = ("--parallel", tmp_path / "a.jsonl", "--parallel", tmp_path / "b.jsonl")
    options = ("--max-steps", 2, "--backbone", backbone_folder, "--output", tmp_path / "sw", "--no-progress")
    assert adaptkit("train", "--lang", "sw", *parallel, *options).status == 0
    assert load_adapter(tmp_path / "sw").card.n_lines == 60


def test_lists_may_be_repeated(adaptkit: Command, corpus: Path, backbone_folder: Path, tmp_path: Path) -> None:
    lists = ("--sites", "attention.query", "--sites", "ffn.output", "--blocks", 1, "--text", corpus, "--text", corpus)
    options = ("--max-steps", 2, "--backbone", backbone_folder, "--output", tmp_path / "sw", "--no-progress")
    assert adaptkit("train", "--lang", "sw", *lists, *options).status == 0
    adapter = load_adapter(tmp_path / "sw")
    assert (adapter.config.method.sites, adapter.config.method.blocks) == (("attention.query", "ffn.output"), (1,))
    assert adapter.card.n_lines == 120


def test_a_lora_goes_to_peft_and_comes_back(
    adaptkit: Command, trained: Path, backbone_folder: Path, tmp_path: Path
) -> None:
    exported = adaptkit("export", trained, "--to", "peft", "--output", tmp_path / "theirs")
    assert exported.status == 0, exported.err
    (tmp_path / "theirs" / "adaptkit.json").unlink()
    back = ("import", tmp_path / "theirs", "--lang", "sw", "--output", tmp_path / "again")
    assert adaptkit(*back, "--backbone", backbone_folder, "--licence", "CC0-1.0").status == 0
    again, before = load_adapter(tmp_path / "again"), load_adapter(trained)
    assert again.probes == before.probes
    assert again.card.licence == "CC0-1.0"
    refused = adaptkit(*back)
    assert refused.status == 1
    assert "not a linear layer" in refused.err or "expected" in refused.err


def test_a_lora_goes_to_the_class_that_is_named(
    adaptkit: Command, trained: Path, backbone_folder: Path, tmp_path: Path
) -> None:
    export = ("export", trained, "--output", tmp_path / "theirs", "--for-class", "AutoModelForMaskedLM")
    assert "is of AutoModelForMaskedLM" in adaptkit(*export).out.replace("\n", " ")
    (name, *_) = load_file(tmp_path / "theirs" / "adapter_model.safetensors")
    assert name.startswith("base_model.model.bert.encoder.layer.")
    file = tmp_path / "theirs" / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "modules_to_save": ["cls"]}))
    back = ("import", tmp_path / "theirs", "--lang", "sw", "--output", tmp_path / "again", "--backbone")
    assert "leave it out: --without-head" in adaptkit(*back, backbone_folder).err.replace("\n", " ")
    assert adaptkit(*back, backbone_folder, "--without-head").status == 0
    assert load_adapter(tmp_path / "again").probes == load_adapter(trained).probes
    assert adaptkit(*export, "--to", "onnx").status == 1


def test_a_stack_of_loras_goes_to_peft_as_one_folder(
    adaptkit: Command, trained: Path, backbone_folder: Path, tmp_path: Path
) -> None:
    model = load_model(backbone_folder)
    news = random_adapter(model, AdapterConfig(method=LoraConfig(rank=3)), kind="domain", name="news")
    zoo = tmp_path / "zoo"
    news.save(zoo / "news")
    load_adapter(trained).save(zoo / "sw")
    of = ("--to", "peft", "--backbone", backbone_folder, "--output")
    first = adaptkit("export", zoo / "sw", zoo / "news", *of, tmp_path / "folders")
    assert first.status == 0, first.err
    second = adaptkit("export", "--stack", "language/sw > news", "--zoo", zoo, *of, tmp_path / "named")
    assert second.status == 0, second.err
    files = [(tmp_path / name / "adapter_model.safetensors").read_bytes() for name in ("folders", "named")]
    assert files[0] == files[1]
    rank = load_adapter(trained).config.method.rank + 3  # type: ignore[attr-defined]
    assert json.loads((tmp_path / "named" / "adapter_config.json").read_text())["r"] == rank
    for wrong, said in (((), "name what is written"), (("--zoo", zoo, zoo / "sw", zoo / "news"), "--zoo")):
        refused = adaptkit("export", *wrong, *of, tmp_path / "other")
        assert (refused.status, said in refused.err) == (1, True)
    assert not (tmp_path / "other").exists()


def test_a_folder_of_adapterhub_is_known_as_one(adaptkit: Command, backbone_folder: Path, tmp_path: Path) -> None:
    theirs, options = ADAPTERHUB / "seq_bn", ("--lang", "sw", "--backbone", backbone_folder)
    outcome = adaptkit("import", theirs, *options, "--output", tmp_path / "sw", "--licence", "CC0-1.0")
    assert outcome.status == 0, outcome.err
    assert load_adapter(tmp_path / "sw").config.method_name == "bottleneck_madx"
    refused = adaptkit("import", ADAPTERHUB / "pickled", *options, "--output", tmp_path / "pickled")
    assert (refused.status, "say --allow-pickle" in refused.err) == (1, True)
    allowed = ("import", ADAPTERHUB / "pickled", *options, "--allow-pickle", "--output", tmp_path / "pickled")
    assert adaptkit(*allowed).status == 0
    assert load_adapter(tmp_path / "pickled").id == "language/sw"


def test_a_folder_of_nobody_is_not_imported(
    adaptkit: Command, trained: Path, backbone_folder: Path, tmp_path: Path
) -> None:
    options = ("--lang", "sw", "--backbone", backbone_folder, "--output", tmp_path / "out")
    refused = adaptkit("import", trained, *options, "--allow-pickle")
    assert (refused.status, "no pickle of peft" in refused.err) == (1, True)
    (trained / "adapter_config.json").write_text('{"r": 8}')
    refused = adaptkit("import", trained, *options)
    assert (refused.status, "of no library" in refused.err) == (1, True)
    assert not (tmp_path / "out").exists()


def test_a_stack_goes_to_onnx(adaptkit: Command, trained: Path, backbone_folder: Path, tmp_path: Path) -> None:
    command = ("export", trained, "--to", "onnx", "--output", tmp_path / "onnx", "--backbone", backbone_folder)
    written = adaptkit(*command)
    assert written.status == 0, written.err
    assert written.out.startswith(f"model.onnx is in {tmp_path / 'onnx'} (output error ")
    assert {"model.onnx", "config.json", "tokenizer.json"} <= {path.name for path in (tmp_path / "onnx").iterdir()}
    assert "exists already" in adaptkit(*command).err
    for wrong in (("--to", "onnx", "--without-head"), ("--backbone", backbone_folder), ("--stack", "sw")):
        outcome = adaptkit("export", trained, "--output", tmp_path / "other", *wrong)
        assert (outcome.status, outcome.err.partition(":")[0]) == (1, "ConfigError")
    assert not (tmp_path / "other").exists()


def test_one_graph_goes_to_onnx_and_adapters_beside_it(
    adaptkit: Command, trained: Path, backbone_folder: Path, tmp_path: Path
) -> None:
    of = ("--backbone", backbone_folder, "--output", tmp_path / "one")
    early = adaptkit("export", trained, "--to", "onnx-adapter", *of)
    assert (early.status, "--to onnx-backbone" in early.err) == (1, True)
    mixed = adaptkit("export", trained, "--to", "onnx-backbone", *of)
    assert (mixed.status, "--to onnx-adapter" in mixed.err) == (1, True)
    written = adaptkit("export", "--to", "onnx-backbone", *of)
    assert written.status == 0, written.err
    beside = adaptkit("export", trained, "--to", "onnx-adapter", *of)
    assert beside.out.startswith(f"sw.onnx_adapter is in {tmp_path / 'one'} (output error ")
    assert adaptkit("export", trained, "--to", "onnx-adapter", "--name", "sw-2", *of).status == 0
    names = {path.name for path in (tmp_path / "one").iterdir()}
    assert {"model.onnx", "tokenizer.json", "sw.onnx_adapter", "sw-2.onnx_adapter", "sw-2.json"} <= names
    refused = adaptkit("export", trained, "--to", "onnx", "--name", "sw", *of)
    assert (refused.status, "--name" in refused.err) == (1, True)


def test_a_backbone_is_not_exported_over_anything(adaptkit: Command, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    outcome = adaptkit("backbone", "export", tmp_path / "mine")
    assert outcome.status == 1
    assert "exists already" in outcome.err
    assert not list((tmp_path / "mine").iterdir())


def test_estimate_writes_nothing(adaptkit: Command, corpus: Path, backbone_folder: Path, tmp_path: Path) -> None:
    outcome = adaptkit("estimate", "--lang", "sw", "--text", corpus, "--max-steps", 9, "--backbone", backbone_folder)
    assert outcome.status == 0
    assert "for 9 steps of 32; peak memory about" in outcome.out
    assert list(tmp_path.iterdir()) == [corpus]


def test_inspect_prints_card_and_checks(adaptkit: Command, trained: Path) -> None:
    outcome = adaptkit("inspect", trained)
    assert outcome.status == 0
    assert "# language/sw" in outcome.out
    assert f"SHA-256 {load_adapter(trained).weights_sha256}" in outcome.out
    assert "backbone fingerprint" in outcome.out


def test_verify_says_what_holds(adaptkit: Command, trained: Path, backbone_folder: Path) -> None:
    outcome = adaptkit("verify", trained, "--backbone", backbone_folder)
    assert outcome.status == 0
    checks = [line.split(":")[0] for line in outcome.out.splitlines()]
    assert checks == ["ok  structure", "ok  tokenizer", "ok  backbone", "ok  outputs"]


def test_verify_fails_on_another_backbone(adaptkit: Command, trained: Path, other_backbone_folder: Path) -> None:
    outcome = adaptkit("verify", trained, "--backbone", other_backbone_folder)
    assert outcome.status == 1
    assert outcome.err.startswith("BackboneMismatch: language/sw was trained on tiny-bert")
    assert len(outcome.err.splitlines()) == 1


def test_a_damaged_adapter_is_one_message(adaptkit: Command, trained: Path, backbone_folder: Path) -> None:
    weights = trained / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    for command in (("inspect", trained), ("verify", trained, "--backbone", backbone_folder)):
        outcome = adaptkit(*command)
        assert outcome.status == 1
        assert outcome.err.startswith("MalformedTensorFile: ")
        assert "Traceback" not in outcome.err


def test_errors_go_to_standard_error_with_the_remedy(adaptkit: Command, corpus: Path) -> None:
    outcome = adaptkit("train", "--lang", "Swahilii", "--text", corpus)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith("UnknownLanguage: no language is known as 'Swahilii'. Did you mean Swahili (sw)")
    outcome = adaptkit("train", "--lang", "sw", "--text", corpus.with_name("corpsu.txt"))
    assert outcome.status == 1
    assert "Did you mean corpus.txt?" in outcome.err


def test_brackets_in_a_message_are_no_markup(adaptkit: Command, tmp_path: Path) -> None:
    assert "[red]corpus.txt" in adaptkit("train", "--lang", "sw", "--text", tmp_path / "[red]corpus.txt").err


@pytest.mark.parametrize(
    ("option", "value"), [("--max-steps", "many"), ("--method", "prefix"), ("--precision", "fp8"), ("--blocks", "x")]
)
def test_values_that_cannot_be_are_told_by_their_flag(adaptkit: Command, option: str, value: str) -> None:
    outcome = adaptkit("train", "--lang", "sw", option, value)
    assert outcome.status == 1
    assert outcome.err.startswith(f"ConfigError: {option} ")


def test_ctrl_c_and_resume(
    adaptkit: Command, corpus: Path, backbone_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("train", "--lang", "sw", "--text", corpus, "--max-steps", 15, "--backbone", backbone_folder)
    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr("adaptkit.recipes.train.open_display", opener(CtrlC(after=11)))
        outcome = adaptkit(*command, "--output", tmp_path / "sw")
    assert outcome.status == 130
    assert "\nTrainingInterrupted: stopped at step 11 of 15" in outcome.err
    assert signal.getsignal(signal.SIGINT) is before
    assert adaptkit(*command, "--output", tmp_path / "sw", "--resume").status == 0
    assert adaptkit(*command, "--output", tmp_path / "whole").status == 0
    assert load_adapter(tmp_path / "sw").weights_sha256 == load_adapter(tmp_path / "whole").weights_sha256


def test_demo_ends_with_a_table(adaptkit: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptkit.model.load_model", tiny_model)
    outcome = adaptkit("demo", "--lang", "ha", "--max-steps", 2, "--output", tmp_path / "ha")
    assert outcome.status == 0
    assert "no evidence" in outcome.out or "helps" in outcome.out or "hurts" in outcome.out
    assert "Hausa" in outcome.out
    assert f"The adapter is in {tmp_path / 'ha'}" in outcome.out
    assert load_adapter(tmp_path / "ha").id == "language/ha"
    kept = adaptkit("demo", "--lang", "ha", "--max-steps", 2)
    assert "not saved" not in kept.err
    assert "temporary folder, which is deleted now; --output FOLDER keeps it." in kept.out
    before = adaptkit("demo", "--adapter", tmp_path / "ha", "--json")
    assert (found := json.loads(before.out))["language"] == "ha"
    assert found == json.loads(adaptkit("demo", "--adapter", tmp_path / "ha", "--json").out)
    assert before.err == ""


def test_a_demo_trains_or_tests_a_finished_adapter(
    adaptkit: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adaptkit.model.load_model", tiny_model)
    refused = adaptkit("demo", "--adapter", tmp_path, "--max-steps", 2)
    assert refused.status == 1
    assert "leave out --output, --resume and --max-steps" in refused.err
    zoo = Path(__file__).parents[3] / "adapters_zoo" / "multilingual-e5-small"
    head = adaptkit("demo", "--adapter", zoo / "task" / "topics")
    assert "is task/topics, and the demo tests language adapters" in head.err
    dzongkha = adaptkit("demo", "--adapter", zoo / "language" / "dz")
    assert "the sample has no sentences in 'dz'" in dzongkha.err


def test_a_diverged_run_is_one_message(
    adaptkit: Command, corpus: Path, backbone_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "adaptkit.training.objectives.MaskedObjective.measures",
        lambda head, *_: {"loss": head.bias.sum() * float("nan")},
    )
    outcome = adaptkit("train", "--lang", "sw", "--text", corpus, "--backbone", backbone_folder, "--no-progress")
    assert outcome.status == 1
    assert outcome.err.startswith("DivergedTraining: ")


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run([sys.executable, "-m", "adaptkit", "--help"], capture_output=True, text=True, check=True)
    for command in ("train", "estimate", "demo", "inspect", "verify", "version", "backbone"):
        assert f"  {command} " in done.stdout


def test_backbones_are_set_side_by_side(adaptkit: Command, backbone_folder: Path, tmp_path: Path) -> None:
    lines = "".join(f"goats {number}\tanimals\nrain {number}\tweather\n" for number in range(10))
    (tmp_path / "probe.tsv").write_text(f"text\tlabel\n{lines}", encoding="utf-8")
    given = ("choose", "--lang", "sw", "--task", "topics", "--memory", "2GB", "--backbone", backbone_folder)
    outcome = adaptkit(*given, "--only-named", "--no-speed", "--probe", tmp_path / "probe.tsv")
    assert outcome.status == 0, outcome.err
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert "On your 20 lines a linear head scores accuracy" in " ".join(outcome.out.split())
    found = json.loads(adaptkit(*given, "--only-named", "--no-speed", "--json").out)
    assert found["candidates"][0]["bits"] == 32
    assert found["recommendation"] == f"Take {backbone_folder}: --backbone {backbone_folder}."
    assert "found 'much'" in adaptkit(*given[:6], "much", *given[7:], "--only-named").err
