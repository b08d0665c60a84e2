from dataclasses import dataclass

import pytest

from adaptkit.errors import ConfigError
from adaptkit.later import later
from adaptkit.options import option, options_of
from adaptkit.table import Table


@dataclass(frozen=True)
class Shelf:
    name: str


def test_rows_are_found_by_name_in_their_order() -> None:
    table = Table[Shelf]("shelf")
    upper, lower = table.register(Shelf("upper")), table.register(Shelf("lower"))
    assert (list(table), table["lower"], table.require("upper")) == (["upper", "lower"], lower, upper)


def test_an_unknown_name_is_told_what_is_there_and_what_was_near() -> None:
    table = Table[Shelf]("shelf")
    table.register(Shelf("upper"))
    with pytest.raises(ConfigError, match=r"shelf is upper, found 'uper'\. Did you mean 'upper'\?"):
        table.require("uper")


def test_a_name_stands_for_one_row() -> None:
    table, row = Table[Shelf]("shelf"), Shelf("upper")
    assert table.register(row) is table.register(row)
    with pytest.raises(ConfigError, match="shelf 'upper' is there already"):
        table.register(Shelf("upper"))


def test_later_imports_when_it_is_called() -> None:
    assert later("adaptkit.table", "Table")() is Table
    with pytest.raises(ModuleNotFoundError):
        later("adaptkit.nothing", "Table")()


@dataclass(frozen=True, kw_only=True)
class Lamp:
    watts: int = option(40, "power")
    serial: str = ""


def test_options_are_the_fields_with_a_sentence() -> None:
    (found,) = options_of(Lamp).values()
    assert (found.name, found.kind, found.default, found.help) == ("watts", int, 40, "power")
