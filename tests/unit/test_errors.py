"""The tree of errors as it is drawn, and as it is."""

import re
from collections.abc import Iterator

from adaptkit import errors
from adaptkit.errors import AdaptkitError

BRANCH = re.compile(r"(?P<before>(?:│ {3}| {4})*)[├└]── (?P<name>\w+)")


def drawn_children() -> Iterator[tuple[str, str]]:
    """Each error of the drawing but the root, with the one that its branch comes from."""
    above = [AdaptkitError.__name__]
    for line in (errors.__doc__ or "").splitlines():
        if found := BRANCH.match(line):
            depth = len(found["before"]) // 4 + 1
            yield found["name"], above[depth - 1]
            above[depth:] = [found["name"]]


def real_children(error: type[AdaptkitError]) -> Iterator[tuple[str, str]]:
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child.__name__, error.__name__
            yield from real_children(child)


def test_the_drawn_tree_is_the_real_one() -> None:
    assert AdaptkitError.__name__ in (errors.__doc__ or "").splitlines()
    assert sorted(drawn_children()) == sorted(real_children(AdaptkitError))


def test_every_error_of_the_file_is_in_the_tree() -> None:
    own = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert own == {AdaptkitError.__name__, *(name for name, _ in drawn_children())}
