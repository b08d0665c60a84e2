"""Values as JSON has them, and JSON as a person can read it."""

import json

from adaptkit.cli.json_lines import json_line
from adaptkit.scores import paired_difference
from adaptkit.terminal.json_values import as_json


def test_numbers_that_json_has_not_are_null() -> None:
    told = {"loss": float("nan"), "bounds": (float("-inf"), 1.5), "steps": 3, "done": True}
    assert as_json(told) == {"loss": None, "bounds": [None, 1.5], "steps": 3, "done": True}
    assert json_line(told) == '{"loss": null, "bounds": [null, 1.5], "steps": 3, "done": true}'


def test_a_dataclass_is_a_mapping_of_its_fields() -> None:
    found = json.loads(json_line([paired_difference([1.0, 0.0, 1.0], [0.0, 0.0, 1.0])]))
    assert found[0].keys() == {"mean", "low", "high", "confidence"}


def test_what_steers_a_terminal_is_spelled_out() -> None:
    line = json_line("a\x9b31mb")
    assert "\x9b" not in line
    assert json.loads(line) == "a\x9b31mb"
