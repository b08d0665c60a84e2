"""Text from strangers as it may be shown: without signs that steer a terminal or turn a line round."""

import re

JOINERS = "\u200c\u200d"
"""Signs of no width which Persian and the scripts of India write with."""
_LINES = "\n\t"
_INSTEAD = "\ufffd"
_SPACES = re.compile(r"\s+")


def one_line(text: str, *, at_most: int | None = None) -> str:
    """One line of printable text, cut with an ellipsis where it is longer than `at_most` signs.

    No control, no end of a line, no bidirectional override and no half of a surrogate pair is left. What HTML, Markdown
    or YAML mean by a sign is not looked at.
    """
    line = printable(_SPACES.sub(" ", text)).strip()
    return line if at_most is None or len(line) <= at_most else f"{line[: at_most - 1].rstrip()}…"


def told_at(place: object, message: object) -> str:
    """One line that says where something is so: the place comes before the message, unless the message names it."""
    where, told = one_line(str(place)), one_line(str(message))
    return told if where in told else f"{where}: {told}"


_MARKS = re.compile(r"[\\`*\[\]~|#]|(?<![^\W_])_|_(?![^\W_])")
_BEGINS_A_BLOCK = re.compile(r"^(?:\d{1,9}(?=[.)](?:\s|$))|(?=[+-](?:\s|$)|[-=]+$|>))")


def markdown_text(text: str) -> str:
    """A line of `one_line` as Markdown that shows these signs and nothing else: no link, HTML, cell or heading."""
    marked = _MARKS.sub(r"\\\g<0>", text.replace("&", "&amp;").replace("<", "&lt;"))
    return _BEGINS_A_BLOCK.sub(r"\g<0>\\", marked)


def printable(text: str) -> str:
    """The same lines with U+FFFD for each sign that is not printed; ends of lines, tabs and joiners stay."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign in JOINERS or sign in _LINES else _INSTEAD for sign in text)


def is_one_line(text: str) -> bool:
    """Whether a text has no control and no end of a line."""
    return not _CONTROL.search(text)


# C0, DEL, C1, and the two separators that some readers take for an end of a line.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
