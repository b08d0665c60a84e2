"""`adaptkit translate-words` as a user types it."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command
from tests.unit.projection.test_by_words import PAIRS


def test_examples_are_translated_and_written(adaptkit: Command, tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text("\n".join(json.dumps({"en": ours, "sw": theirs}) for ours, theirs in PAIRS))
    examples = "said\tlabel\tlanguage\nOtieno sells goats\ttrade\ten\nteacher\tschool\ten\nmbuzi\ttrade\tsw\n"
    (tmp_path / "en.tsv").write_text(examples)
    command = (
        *("translate-words", tmp_path / "en.tsv", "--parallel", tmp_path / "pairs.jsonl", "--lang", "sw"),
        *("--columns", "text=said", "--output", tmp_path / "sw.jsonl"),
    )
    outcome = adaptkit(*command)
    assert outcome.status == 0, outcome.err
    assert "2 examples in sw: 3 of 4 words translated (75%), by " in outcome.out
    assert "1 left out: not in en" in outcome.out
    rows = [json.loads(line) for line in (tmp_path / "sw.jsonl").read_text().splitlines()]
    assert rows[0] == {"text": "Otieno anauza mbuzi", "label": "trade", "language": "sw"}
    again = adaptkit(*command)
    assert again.status == 1
    assert "is there already" in again.err


@pytest.mark.parametrize(
    "command", [("translate-words", "en.tsv"), ("transfer", "--task", "topics", "--data", "en.tsv")]
)
def test_a_dictionary_by_the_flag_of_a_training_is_told_how_to_give_it(adaptkit: Command, command: list[str]) -> None:
    outcome = adaptkit(*command, "--lang", "sw", "--lexicon", "sw-en.tsv", "--output", "out")
    assert outcome.status == 1
    assert (
        "--lexicon is an option of train. Give the dictionary as --parallel, with its columns in the other"
        in outcome.err
    )
    assert "--lexicon" not in adaptkit(command[0], "--help").out
