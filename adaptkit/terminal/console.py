"""Where messages are printed: as text, whatever stands in them."""

from typing import Any

from rich.console import Console
from rich.text import Text

from adaptkit.terminal.plain_text import printable


class PlainConsole(Console):
    """A console for texts that quote files: no markup, no emoji codes, and no sign that steers the terminal.

    Strings are made plain when they are printed and as cells of a table; what is styled is given as rich's `Text`, of
    words of ours.
    """

    def __init__(self, *, stderr: bool = False, soft_wrap: bool = True) -> None:
        super().__init__(stderr=stderr, soft_wrap=soft_wrap, highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401 - rich's own options
        """What every string goes through."""
        return super().render_str(printable(text), **options)
