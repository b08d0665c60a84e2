"""Texts of `adaptkit.json` that are one line: names, sources, licences."""

from collections.abc import Iterator

from adaptkit.format.typed_json import MistypedJson
from adaptkit.terminal.plain_text import is_one_line

# What a backbone is to be given before every text may be of several lines; it is compared and never shown as it is.
_ANY_TEXT = ("backbone.text_prefix",)
_NUMBERS = {int, float}


def check_single_lines(content: object) -> None:
    """Refuse a text or a name of a field with a control or an end of a line in it.

    None can be meant, and shown somewhere it would begin a line of its own or steer the terminal.

    Raises:
        MistypedJson: Which field it is.
    """
    if _are_single(content):
        return
    for where, text in _texts(content, ""):
        if where not in _ANY_TEXT and not is_one_line(text):
            raise MistypedJson(
                f"{where or 'a name'} is {text[:80]!r}, and holds a control character or an end of a line"
            )


def _are_single(content: object) -> bool:
    """Whether all texts are, by a look that is quick as it does not keep where each stands."""
    if isinstance(content, str):
        return is_one_line(content)
    if isinstance(content, dict):
        return all(map(is_one_line, content)) and all(map(_are_single, content.values()))
    if isinstance(content, list | tuple):
        return _NUMBERS.issuperset(map(type, content)) or all(map(_are_single, content))
    return True


def _texts(content: object, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(content, str):
        yield where, content
    elif isinstance(content, dict):
        for name, value in content.items():
            yield f"a name of a field in {where or 'the record'}", name
            yield from _texts(value, f"{where}.{name}".lstrip("."))
    elif isinstance(content, list | tuple):
        for value in content:
            yield from _texts(value, where)
