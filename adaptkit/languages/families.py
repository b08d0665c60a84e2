"""How near two languages are, by the families that linguists put them in: those of Glottolog 5.3.

`families.txt` beside this module has every language that Glottolog and ISO 639 both know, and says whose work it is.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import cache, reduce
from itertools import takewhile

from adaptkit.errors import ConfigError

CLASSIFICATION = "Glottolog 5.3"
MAX_LENGTH = 80
MAX_SUGGESTIONS = 3


def branches(tag: str) -> tuple[str, ...] | None:
    """The branches that a language (canonical tag) is in, widest first: ("Indo-European", ..., "Castilic").

    Empty where it has no known relative, as Burushaski; None where the classification does not have it.
    """
    return _table().get(tag.partition("-")[0])


def family_in_words(tag: str) -> str:
    """The branches of a language (canonical tag) in a line, or why there is none."""
    found = branches(tag)
    if found is None:
        return f"not in {CLASSIFICATION}"
    return " > ".join(found) or "none known"


def branches_called(name: str) -> frozenset[str]:
    """The branches that a name means: those of just that name, else those that have it in theirs (Bantu: Narrow Bantu).

    Raises:
        ConfigError: There is none.
    """
    depths = _depths()
    found = {branch for branch in depths if branch.casefold() == name.strip().casefold()}
    if not found and (words := _words(name)):
        found = {branch for branch in depths if f" {' '.join(words)} " in f" {' '.join(_words(branch))} "}
    if not found:
        asked = name[:MAX_LENGTH]
        near = _near(asked, depths)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise ConfigError(f"no family or branch of {CLASSIFICATION} is called {asked!r}.{hint}")
    return frozenset(found)


def shared_branches(one: str, other: str) -> tuple[str, ...]:
    """The branches that two languages (canonical tags) share, widest first."""
    return _alike(branches(one) or (), branches(other) or ())


def common_branches(languages: Iterable[str]) -> tuple[str, ...]:
    """The branches that all of one or more languages (canonical tags) share, widest first."""
    return reduce(_alike, (branches(language) or () for language in languages))


def family_for(language: str, families: Mapping[str, Collection[str]]) -> str | None:
    """The name of the smallest of these families, each some languages, that a language belongs to; None: to none.

    It belongs to one if it is in all branches that the family's languages share, and they share any.
    """
    shared = {name: common_branches(members) for name, members in sorted(families.items())}
    fitting = [name for name, branch in shared.items() if branch and _alike(branch, branches(language) or ()) == branch]
    return max(fitting, key=lambda name: len(shared[name]), default=None)


def trained_on(language: str | None, families: Mapping[str, Collection[str]]) -> str | None:
    """The name of the one of these, each some languages, that serves a language of its own; None: it is in none.

    That is the one with the fewest languages, so that one for the language alone comes first; of several, the first by
    name.
    """
    return min(
        (name for name, languages in families.items() if language in languages),
        key=lambda name: (len(families[name]), name),
        default=None,
    )


def relative_trained_on(language: str, families: Mapping[str, Collection[str]]) -> tuple[str, str] | None:
    """The name of the one of these, each some languages, that was trained on a relative, and which; None: none was.

    For a language that belongs to none of them (`family_for`): Chichewa is no part of what Hausa and Swahili share, and
    is near to Swahili all the same.
    """
    relative = nearest_relative(language, {member for members in families.values() for member in members})
    name = trained_on(relative, families)
    return None if relative is None or name is None else (name, relative)


def nearest_relative(language: str, others: Iterable[str]) -> str | None:
    """The one of `others` that shares most branches, the first of several; None where none shares any.

    The language itself is not its own relative. `why_no_relative` says why there is none.
    """
    candidates = sorted(set(others) - {language})
    near = max(candidates, key=lambda other: len(shared_branches(language, other)), default=None)
    return near if near is not None and shared_branches(language, near) else None


def why_no_relative(language: str) -> str:
    """Why none of some languages is a relative of this one (canonical tag), where that is so."""
    found = branches(language)
    if found is None:
        return f"its relatives are not known, as {CLASSIFICATION} does not have it"
    return f"none of the others is {found[0]}, as it is" if found else "it has no known relatives"


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """How two begin alike."""
    return tuple(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name.casefold())


def _depths() -> dict[str, int]:
    """How deep the branch of each name lies, the widest of several."""
    found: dict[str, int] = {}
    for path in set(_table().values()):
        for depth, branch in enumerate(path):
            found[branch] = min(depth, found.get(branch, depth))
    return found


def _near(name: str, depths: Mapping[str, int]) -> list[str]:
    """Branches with words like those of a name, those with most of them first, then the widest."""
    words = {word for branch in depths for word in _words(branch)}
    like = {near for word in _words(name) for near in get_close_matches(word, words, n=2, cutoff=0.8)}
    shared = {branch: len(like.intersection(_words(branch))) for branch in depths}
    near = [branch for branch in depths if shared[branch]]
    return sorted(near, key=lambda branch: (-shared[branch], depths[branch], branch))[:MAX_SUGGESTIONS]


@cache
def _table() -> Mapping[str, tuple[str, ...]]:
    """The branches of each language, read when first asked for: a line is a branch and the languages right below it."""
    from importlib.resources import files

    table: dict[str, tuple[str, ...]] = {}
    path: list[str] = []
    for line in files("adaptkit.languages").joinpath("families.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        row = line.lstrip("\t")
        branch, _, tags = row.partition("\t")
        path[len(line) - len(row) :] = [branch]
        here = () if branch == "-" else tuple(path)
        table.update(dict.fromkeys(tags.split(), here))
    return table
