"""Where messages are printed: as text, whatever stands in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

from adaptkit.terminal.plain_text import printable

_hidden = False


@contextmanager
def notes_hidden(hidden: bool) -> Iterator[None]:
    """While open, nothing is printed on standard error if it is `hidden`; errors are told when it has closed."""
    # A process is one command, whatever threads it has.
    global _hidden
    before, _hidden = _hidden, hidden or _hidden
    try:
        yield
    finally:
        _hidden = before


def notes_are_hidden() -> bool:
    """Whether notes are not printed now, so that a warning has to be told in another way."""
    return _hidden


class PlainConsole(Console):
    """A console for texts that quote files: no markup, no emoji codes, and no sign that steers the terminal.

    Strings are made plain when they are printed and as cells of a table; what is styled is given as rich's `Text`, of
    words of ours.
    """

    def __init__(self, *, stderr: bool = False, soft_wrap: bool = True) -> None:
        super().__init__(stderr=stderr, soft_wrap=soft_wrap, highlight=False, markup=False, emoji=False)

    @property
    def quiet(self) -> bool:
        """Whether it prints nothing: notes, which go to standard error, may be hidden."""
        return self._quiet or (self.stderr and _hidden)

    @quiet.setter
    def quiet(self, quiet: bool) -> None:
        self._quiet = quiet

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401 - rich's own options
        """What every string goes through."""
        return super().render_str(printable(text), **options)
