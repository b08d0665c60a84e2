"""Lists that a table holds as text, as Python and pandas (`['a', 'b']`) or JSON (`["a", "b"]`) write them."""

import ast
import io
import json
import re
import tokenize

MOST_CHARACTERS = 100_000

_LIST = re.compile(r"\[(?=['\"\d\-\[{\]])|array\(\[")
_QUOTED = re.compile(r"[\[{]['\"]")
_OBJECT = re.compile(r"\{(?=['\"])")


class BadList(ValueError):
    """Text that begins as a list and is none; the message is what was found."""


def looks_written(text: str, *, objects: bool = False) -> bool:
    """Tell whether a text begins as a list does (`['`, `["`, `[0`, `[]`), or with `objects` a dictionary."""
    text = text.strip()
    # A quote is no word's second letter; a number in brackets may be a reference.
    if not _QUOTED.match(text) and text[-1:] not in {"]", "}", ")"}:
        return False
    return _LIST.match(text) is not None or (objects and _OBJECT.match(text) is not None)


def written_value(text: str) -> object:
    """Give the list (or dictionary) that a text is.

    Raises:
        BadList: it is cut off, too long, or a NumPy array, which is written without commas.

    """
    if len(text) > MOST_CHARACTERS:
        raise BadList(f"a list written in more than {MOST_CHARACTERS:,} characters")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        if _joins_strings(text):
            raise BadList(f"a NumPy array written as text ({text[:40]!r})")
        return ast.literal_eval(text.strip())
    except BadList:
        raise
    except (ValueError, SyntaxError, tokenize.TokenError, RecursionError, MemoryError) as error:
        raise BadList(f"text that is not the list it should be ({text[:40]!r})") from error


def _joins_strings(text: str) -> bool:
    """Tell whether two strings stand side by side, which Python would join to one."""
    before = 0
    for token in tokenize.generate_tokens(io.StringIO(text.strip()).readline):
        if token.type == tokenize.STRING == before:
            return True
        before = token.type if token.type != tokenize.NL else before
    return False
