"""`adaptkit generate` as a user types it, on a tiny decoder in a folder."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

import adaptkit as package
from adaptkit import Sampling
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from tests.adapters import random_adapter
from tests.tiny import byte_tokenizer, tiny_backbone
from tests.unit.cli.conftest import Command

PROMPTS = ["Habari ya asubuhi", "The goat", "two\nlines"]


@pytest.fixture(scope="session")
def decoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backbones") / "tiny-llama"
    tiny_backbone("llama").network.save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def zoo(decoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zoo")
    model = package.load_model(decoder_folder)
    random_adapter(model, AdapterConfig(method=LoraConfig(rank=4))).save(folder / "sw")
    return folder


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


@pytest.mark.parametrize("named", [["--on", "sw"], ["--stack", "sw"], []], ids=["folder", "zoo", "bare"])
def test_a_prompt_goes_on(adaptkit: Command, decoder_folder: Path, zoo: Path, named: list[str]) -> None:
    given: list[Any] = named and (["--on", zoo / "sw"] if named[0] == "--on" else [*named, "--zoo", zoo])
    outcome = adaptkit("generate", PROMPTS[0], "--backbone", decoder_folder, "--max-new-tokens", 8, *given)
    assert outcome.status == 0, outcome.err
    model = package.load_model(decoder_folder)
    model.attach(package.load_adapter(zoo / "sw"))
    expected = model.generate(PROMPTS[0], stack="sw" if named else None, max_new_tokens=8).text
    # What a terminal would obey is not shown to it.
    assert outcome.out == f"{''.join(sign if sign.isprintable() else chr(0xFFFD) for sign in expected)}\n"


def test_each_line_of_the_input_gives_a_line_of_json(
    adaptkit: Command, decoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "".join(f"{json.dumps(line) if chr(10) in line else line}\n" for line in PROMPTS))
    sampling = Sampling(temperature=1.0, top_k=50, seed=2, stop=("a", "e"))
    flags = ["--temperature", 1.0, "--top-k", 50, "--seed", 2, "--stop", "a", "--stop", "e", "--log-probabilities"]
    outcome = adaptkit("generate", "--backbone", decoder_folder, "--max-new-tokens", 9, "--batch-size", 1, *flags)
    assert outcome.status == 0, outcome.err
    expected = package.load_model(decoder_folder).generate(
        PROMPTS, max_new_tokens=9, batch_size=1, sampling=sampling, log_probabilities=True
    )
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    assert [(line["text"], line["stopped"], line["n_tokens"]) for line in lines] == [
        (each.text, each.stopped, each.n_tokens) for each in expected
    ]
    for line, each in zip(lines, expected, strict=True):
        assert line.get("stop") == each.stop
        assert line["log_probabilities"] == pytest.approx(each.log_probabilities, abs=1e-5)


@pytest.mark.parametrize(
    ("given", "typed_in", "message"),
    [
        (["A", "--on", "sw", "--stack", "sw"], "", "--on and --stack both say what acts"),
        ([], "one\n\nthree\n", "line 2 of the input is empty"),
        ([], '"broken\n', "line 1 of the input is broken JSON"),
        (["A", "--top-p", "0.5"], "", "Give --temperature 0.8 too"),
        (["A", "--top-k", "many"], "", "--top-k takes an integer"),
        (["A", "--max-new-tokens", "0"], "", "--max-new-tokens must be at least 1"),
        (["A", "--stack", "sw"], "", "give --zoo FOLDER"),
    ],
)
def test_what_is_asked_wrongly_is_said(
    adaptkit: Command,
    decoder_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: list[str],
    typed_in: str,
    message: str,
) -> None:
    typed(monkeypatch, typed_in)
    outcome = adaptkit("generate", *given, "--backbone", decoder_folder)
    assert (outcome.status, message in outcome.err) == (1, True), outcome.err


def test_an_encoder_is_refused(adaptkit: Command, backbone_folder: Path) -> None:
    outcome = adaptkit("generate", "A", "--backbone", backbone_folder)
    assert outcome.status == 1
    assert "is an encoder (bert)" in outcome.err
