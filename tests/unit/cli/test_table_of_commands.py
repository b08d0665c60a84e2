"""Commands by name: each is made when it is called, and help has its sentence before that."""

import inspect

import pytest
import typer

from adaptkit.cli.app import commands
from adaptkit.cli.commands import Commands
from tests.unit.cli.conftest import Command

GROUP = typer.main.get_command(commands())
assert isinstance(GROUP, Commands)
NAMES = tuple(GROUP.commands)


@pytest.mark.parametrize("name", NAMES)
def test_help_of_all_has_the_sentence_of_each(name: str) -> None:
    assert isinstance(GROUP, Commands)
    _, made, rest = GROUP.resolve_command(None, [name, "--help"])
    sentence = GROUP.commands[name].help
    assert sentence
    assert " ".join(inspect.cleandoc(made.help).split("\n\n")[0].split()) == sentence
    assert rest == ["--help"]


def test_help_of_all_is_cut_nowhere(adaptkit: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = adaptkit("--help").out.partition("Commands:")[2].split("\n")
    assert sum(line.strip().partition(" ")[0] in NAMES for line in lines) == len(NAMES)
    assert not [line for line in lines if "..." in line]


def test_a_name_that_is_near_one_is_told(adaptkit: Command) -> None:
    assert "No such command 'trian'. Did you mean 'train'" in adaptkit("trian").err


def test_help_of_a_group_in_the_group_is_plain(adaptkit: Command) -> None:
    text = adaptkit("backbone", "--help").out
    assert "export  Write an embedded backbone, or a GGUF file, as an ordinary" in text
    assert "completion" not in text
