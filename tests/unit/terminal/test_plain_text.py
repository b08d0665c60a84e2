import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from adaptkit.errors import AdapterFileError, AdaptkitError
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.plain_text import is_one_line, one_line, printable
from tests.hostile_texts import HOSTILE, STEERING


def test_signs_that_steer_are_shown_as_one_that_does_not() -> None:
    assert printable("a\x1b[31mb\x9bc\u202ed") == "a\ufffd[31mb\ufffdc\ufffdd"
    assert printable("two\nlines\tand a tab") == "two\nlines\tand a tab"
    assert one_line(" two\nlines\t and\u2028more ") == "two lines and more"


def test_joiners_stay() -> None:
    assert one_line("می\u200cخواهم") == "می\u200cخواهم"


def test_a_long_line_is_cut() -> None:
    assert one_line("x" * 100, at_most=10) == "x" * 9 + "…"
    assert one_line("x" * 10, at_most=10) == "x" * 10


@given(st.text())
def test_any_text_becomes_one_line(text: str) -> None:
    line = one_line(text)
    assert is_one_line(line)
    assert line.splitlines() in ([line], [])
    assert one_line(line) == line
    assert line.encode().decode() == line


@pytest.mark.parametrize("name", HOSTILE)
def test_which_texts_are_one_line(name: str) -> None:
    assert is_one_line(HOSTILE[name]) == (name not in STEERING)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_a_console_prints_text_and_nothing_else(text: str) -> None:
    console = PlainConsole()
    console.file = io.StringIO()
    console.print(text)
    assert console.file.getvalue() == printable(text).expandtabs() + "\n"


def test_a_table_and_words_of_ours_in_colour() -> None:
    console = PlainConsole()
    console.file = io.StringIO()
    console.print(Text("ours", "bold red"), "\x1b[31m[bold]:lock:")
    table = Table("column")
    table.add_row("\x1b]0;owned\x07[/]")
    console.print(table)
    written = console.file.getvalue()
    assert "ours \ufffd[31m[bold]:lock:" in written
    assert "\ufffd]0;owned\ufffd[/]" in written


def test_a_message_quotes_without_steering() -> None:
    assert str(AdaptkitError("no \x1b[2J such file")) == "no \ufffd[2J such file"
    assert str(AdapterFileError("a\nb", "c\rd")) == "a b: c d"


def test_a_message_is_not_the_whole_file() -> None:
    message = str(AdaptkitError(f"begins {'x' * 10**6} and what to do"))
    assert len(message) < 5_000
    assert message.startswith("begins x")
    assert message.endswith("x and what to do")
