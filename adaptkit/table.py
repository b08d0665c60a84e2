"""A table of variations: rows by name, to which anybody may add one."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Generic, Protocol, TypeVar

from adaptkit.errors import ConfigError


class Row(Protocol):
    """What has a name in a table."""

    @property
    def name(self) -> str:
        """By which it is asked for."""
        ...


RowT = TypeVar("RowT", bound=Row)


class Table(Mapping[str, RowT], Generic[RowT]):
    """Rows of one kind (`what`, such as "method"), in the order in which they were registered."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._rows: dict[str, RowT] = {}

    def __getitem__(self, name: str) -> RowT:
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def register(self, row: RowT) -> RowT:
        """Add a row, and give it back. The very same one may be registered again.

        Raises:
            ConfigError: Another row has its name.
        """
        if self._rows.setdefault(row.name, row) is not row:
            raise ConfigError(f"{self.what} {row.name!r} is there already; give this one another name.")
        return row

    def require(self, name: str) -> RowT:
        """The row of a name.

        Raises:
            ConfigError: There is none.
        """
        if name not in self._rows:
            near = get_close_matches(str(name), self._rows, n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"{self.what} is {', '.join(self._rows)}, found {name!r}.{meant}")
        return self._rows[name]


class OptionsRow(Row, Protocol):
    """A row with a type of options that callers give."""

    @property
    def options(self) -> type:
        """Of which a caller gives a value."""
        ...


OptionsRowT = TypeVar("OptionsRowT", bound=OptionsRow)


def row_of(table: Table[OptionsRowT], options: object, expected: str) -> OptionsRowT:
    """The row whose options these are.

    Raises:
        ConfigError: They are of none that is registered; it says what is `expected`.
    """
    found = next((row for row in table.values() if type(options) is row.options), None)
    if found is None:
        raise ConfigError(f"{expected}, found {options!r:.80}.")
    return found
