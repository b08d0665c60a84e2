"""What a user does first, by the installed package alone: `make smoke` runs this file where no checkout can be seen."""

import subprocess
import sys
from importlib.metadata import files as installed_files
from importlib.metadata import metadata
from importlib.resources import files
from pathlib import Path

import pytest

import adaptkit
from adaptkit.version import DISTRIBUTION

QUICK = adaptkit.Run(max_steps=2, progress=False)
SENTENCE = "Watoto wanakwenda shule."
EXAMPLES = [("The goat eats grass.", "animals"), ("Rain fills the barrel.", "weather")] * 12


@pytest.fixture(scope="module")
def model() -> adaptkit.AdaptedModel:
    return adaptkit.load_model(device="cpu")


def test_the_package_holds_what_it_needs() -> None:
    package = files("adaptkit")
    assert package.joinpath("py.typed").is_file()
    assert [entry.name for entry in package.joinpath("data").iterdir() if entry.name.endswith(".jsonl")]


def test_the_command_and_the_metadata_have_one_version() -> None:
    command = [str(Path(sys.executable).with_name("adaptkit")), "--version"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    assert shown.stdout.strip() == adaptkit.__version__
    facts = metadata(DISTRIBUTION)
    assert facts["Version"] == adaptkit.__version__
    assert facts["License-Expression"] == "Apache-2.0"
    assert facts.get_all("License-File") == ["LICENSE", "NOTICE"]


def test_nothing_else_is_installed() -> None:
    """No tests, no benchmarks: only the package, and what installers write beside it."""
    written = installed_files(DISTRIBUTION) or []
    tops = {file.parts[0] for file in written if file.suffix == ".py"}
    assert all(top == "adaptkit" or top.startswith("__editable__") for top in tops), tops


def test_a_language_adapter_from_training_to_use(model: adaptkit.AdaptedModel, tmp_path: Path) -> None:
    pairs = adaptkit.sample_pairs("sw")[:40]
    adapter = adaptkit.train_adapter(lang="sw", parallel=pairs, backbone=model, run=QUICK)
    adapter.save(tmp_path / "zoo" / "sw")
    command = [str(Path(sys.executable).with_name("adaptkit")), "index", str(tmp_path / "zoo")]
    subprocess.run([*command, "--page", str(tmp_path / "zoo.html")], check=True)  # noqa: S603 - our own command
    assert "Swahili" in (tmp_path / "zoo.html").read_text(encoding="utf-8")
    loaded = adaptkit.load_adapter(tmp_path / "zoo" / "sw")
    model.attach(loaded)
    assert model.encode([SENTENCE], stack="sw").shape == (1, 384)
    model.detach("sw")


def test_a_task_adapter_answers(model: adaptkit.AdaptedModel) -> None:
    rows = [{"text": text, "label": label} for text, label in EXAMPLES]
    model.attach(adaptkit.train_adapter(task="topics", data=rows, backbone=model, run=QUICK))
    (answer,) = model.predict([SENTENCE], stack="topics")
    assert answer.label in ("animals", "weather")
    model.detach("topics")
