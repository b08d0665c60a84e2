"""`adaptkit explain`, as a user types it."""

import json
from pathlib import Path

import pytest

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.task_types import HeadConfig
from tests.adapters import random_adapter
from tests.tiny import tiny_model
from tests.unit.cli.conftest import Command

LORA = LoraConfig(rank=2, alpha=2)
TOPICS = HeadConfig(task_type="classification", labels=("goats", "rain"))
PAIRS = HeadConfig(task_type="classification", labels=("yes", "no"), pairs=True)
NAMES = HeadConfig(task_type="tagging", labels=("O", "B-PER"))


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, model = tmp_path_factory.mktemp("zoo"), tiny_model()
    random_adapter(model, AdapterConfig(method=LORA)).save(folder / "sw")
    for name, head in {"topics": TOPICS, "pairs": PAIRS, "names": NAMES}.items():
        random_adapter(model, AdapterConfig(method=LORA, head=head), kind="task", name=name).save(folder / name)
    return folder


def test_words_and_adapters_are_told(adaptkit: Command, backbone_folder: Path, zoo: Path) -> None:
    found = adaptkit(
        "explain", "The goat sleeps.", "--stack", "sw > topics", "--zoo", zoo, "--backbone", backbone_folder
    )
    assert found.status == 0, found.err
    assert "by language/sw > task/topics" in found.out
    assert "moved by language/sw  moved by task/topics" in found.out
    assert "\nwithout language/sw: " in found.out
    assert "\x1b" not in found.out


def test_json_is_one_line(adaptkit: Command, backbone_folder: Path, zoo: Path) -> None:
    where = ("--zoo", zoo, "--backbone", backbone_folder, "--json")
    asked = ("--stack", "topics", "--target", "rain", "--steps", 8, "--baseline", "pad")
    found = json.loads(adaptkit("explain", "The goat\x1b sleeps.", *asked, *where).out)
    assert found["target"] == "rain"
    assert found["baseline"] == "<pad>"
    assert set(found["without"]) == {"task/topics"}
    two = json.loads(adaptkit("explain", "The goat sleeps.", "It runs.", "--stack", "pairs", *where).out)
    assert {word["side"] for word in two["words"]} == {0, 1}
    names = json.loads(adaptkit("explain", "Amina sold maize", "--stack", "names", "--word", "2", *where).out)
    assert names["target"].endswith(" of maize")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("The goat", "--stack", "sw"), "ends in no adapter with a head"),
        (("The goat", "--stack", "topics | sw > topics"), "is an ensemble, which can be asked for answers alone"),
        (("The goat", "--stack", "topics", "--target", "sun"), "the labels of this head are goats, rain"),
        (("The goat", "--stack", "topics", "--word", "1"), "gives no tags"),
        (("The goat", "--stack", "topics", "--steps", "1"), "--steps must lie between 2 and 4,096"),
        (("The goat", "--stack", "topics", "--baseline", "sep"), "--baseline takes"),
        (("", "--stack", "topics"), "the input is empty; give a text"),
        (("one", "two", "three", "--stack", "topics"), "an input is a text, or a pair of texts"),
    ],
)
def test_what_cannot_be_is_refused(
    adaptkit: Command, backbone_folder: Path, zoo: Path, arguments: tuple[str, ...], said: str
) -> None:
    found = adaptkit("explain", *arguments, "--zoo", zoo, "--backbone", backbone_folder)
    assert found.status == 1
    assert said in found.err
