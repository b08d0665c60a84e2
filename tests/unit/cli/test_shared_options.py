"""Options that every command has."""

from pathlib import Path

import pytest
import typer

from adaptkit.cli.app import commands
from adaptkit.cli.commands import Commands
from adaptkit.requests import request_of
from adaptkit.requests.options_file import options_in, read_options_file
from adaptkit.storage import load_adapter
from tests.runs import SWAHILI
from tests.unit.cli.conftest import Command

GROUP = typer.main.get_command(commands())
assert isinstance(GROUP, Commands)
COMMANDS = [(name,) for name in GROUP.commands if name != "backbone"] + [("backbone", "export")]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_a_file_of_options(command: tuple[str, ...], adaptkit: Command, tmp_path: Path) -> None:
    assert "--config <file.toml>" in adaptkit(*command, "--help").out
    (tmp_path / "run.toml").write_text("no_such_option = 1")
    refused = adaptkit(*command, "--config", tmp_path / "run.toml")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith(f"ConfigError: {tmp_path / 'run.toml'}: there is no option 'no_such_option'.")


def test_the_shell_comes_before_the_file(adaptkit: Command, backbone_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("\n".join(SWAHILI), encoding="utf-8")
    (tmp_path / "run.toml").write_text(
        f"""
        lang = "sw"
        text = "{tmp_path / "corpus.txt"}"
        max-steps = 2
        rank = 2
        sites = ["attention.query", "attention.value"]
        progress = false
        backbone = "{backbone_folder}"
        """
    )
    given = ("--config", tmp_path / "run.toml", "--rank", 3, "--sites", "ffn.output", "--output", tmp_path / "sw")
    outcome = adaptkit("train", *given)
    assert outcome.status == 0, outcome.err
    config = load_adapter(tmp_path / "sw").config.method
    assert (config.sites, vars(config)["rank"]) == (("ffn.output",), 3)
    printed = adaptkit("inspect", tmp_path / "sw", "--settings")
    assert (printed.status, printed.err) == (0, "")
    assert "device = " not in printed.out
    assert "# device: cpu, there\n" in printed.out
    (tmp_path / "again.toml").write_text(printed.out)
    again = options_in(read_options_file(tmp_path / "again.toml"), "again.toml")
    assert request_of(again).record()["max_steps"] == 2
    more = ("--text", tmp_path / "corpus.txt", "--backbone", backbone_folder, "--output", tmp_path / "same")
    assert adaptkit("train", "--config", tmp_path / "again.toml", *more, "--no-progress").status == 0
    assert load_adapter(tmp_path / "same").weights_sha256 == load_adapter(tmp_path / "sw").weights_sha256


def test_other_commands_read_it_too(adaptkit: Command, zoo_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "list.toml").write_text('kind = "domain"')
    assert adaptkit("list", zoo_folder, "--config", tmp_path / "list.toml").out.count("\n") == 2
    assert adaptkit("list", zoo_folder, "--config", tmp_path / "list.toml", "--kind", "language").out.count("\n") == 3
    (tmp_path / "list.toml").write_text('knid = "domain"')
    assert "there is no option 'knid'. Did you mean kind?" in adaptkit("list", "--config", tmp_path / "list.toml").err


def test_settings_of_what_was_not_trained_are_refused(adaptkit: Command, zoo_folder: Path) -> None:
    refused = adaptkit("inspect", zoo_folder / "sw", "--settings")
    assert "does not say how it was trained" in refused.err
