"""Options are the fields of `TrainingRequest`."""

import inspect
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from adaptkit.cli.options import request_options
from adaptkit.recipes import TrainingRequest


def asked(**values: object) -> TrainingRequest:
    """The request that a command gets for these options."""
    requests: list[TrainingRequest] = []
    request_options(requests.append)(**{"lang": "sw", **values})
    return requests[0]


@pytest.mark.parametrize("command", ["train", "estimate"])
def test_every_field_has_an_option_with_help(command: str, adaptkit: Callable[..., Any]) -> None:
    text = adaptkit(command, "--help").out
    of_a_run = {
        "output",
        "overwrite",
        "resume",
        "resume_or_start",
        "checkpoint_every",
        "checkpoint_minutes",
        "progress",
    }
    left_out = of_a_run if command == "estimate" else set()
    for entry in fields(TrainingRequest):
        flag = f"--{entry.name.replace('_', '-')}"
        found = re.search(rf"^  {flag}\b[^\n]*(?:  |\n +)\w", text, re.MULTILINE)
        assert bool(found) is (entry.name not in left_out), flag
    assert "<auto|mlm|clm|distill>" in text
    assert "[default: 32]" in text


def test_defaults_are_those_of_the_request() -> None:
    command = request_options(lambda _: None)
    for entry in fields(TrainingRequest):
        parameter = inspect.signature(command).parameters[entry.name]
        assert parameter.default in (entry.default, inspect.Parameter.empty)


@pytest.mark.parametrize("name", ["text", "parallel", "sites", "blocks"])
def test_a_list_that_was_not_given_is_none(name: str) -> None:
    assert getattr(asked(**{name: []}), name) is None
    assert getattr(asked(**{name: None}), name) is None


def test_one_text_stays_a_name_and_several_are_files() -> None:
    assert asked(text=["owner/name"]).text == "owner/name"
    assert asked(text=["a", "b"]).text == [Path("a"), Path("b")]


def test_two_plain_parallel_files_are_a_pair_and_others_a_list() -> None:
    assert asked(parallel=[Path("en.txt"), Path("sw.txt.gz")]).parallel == (Path("en.txt"), Path("sw.txt.gz"))
    assert asked(parallel=[Path("a.jsonl"), Path("b.jsonl")]).parallel == [Path("a.jsonl"), Path("b.jsonl")]
    assert asked(parallel=[Path("a.tsv")]).parallel == Path("a.tsv")
    assert asked(parallel=[Path("a"), Path("b"), Path("c")]).parallel == [Path("a"), Path("b"), Path("c")]
