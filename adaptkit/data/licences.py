"""What licence an adapter of several texts may have: a small table of known licences, and nothing guessed.

The table holds what texts and corpora are mostly under. It is a help and no legal advice: it says which of the stated
licences asks for most, and where two ask for what cannot be had together.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

NOT_STATED = "not stated"

BY, SHARE_ALIKE, NON_COMMERCIAL, NO_CHANGES = "attribution", "share alike", "no commercial use", "no changed versions"

FREE = ("CC0-1.0", "PDDL-1.0", "public domain")
"""Licences that ask for nothing."""
BESIDE = ("Apache-2.0", "MIT", "BSD-3-Clause", "ODC-By-1.0", "AFL-3.0", "Unicode-3.0")
"""Licences that go beside any of the others, and still apply there."""
CREATIVE_COMMONS: Mapping[str, frozenset[str]] = {
    "CC-BY": frozenset({BY}),
    "CC-BY-SA": frozenset({BY, SHARE_ALIKE}),
    "CC-BY-NC": frozenset({BY, NON_COMMERCIAL}),
    "CC-BY-NC-SA": frozenset({BY, NON_COMMERCIAL, SHARE_ALIKE}),
    "CC-BY-ND": frozenset({BY, NO_CHANGES}),
    "CC-BY-NC-ND": frozenset({BY, NON_COMMERCIAL, NO_CHANGES}),
}
"""What each asks for."""
VERSIONS = ("2.0", "2.5", "3.0", "4.0")
"""Versions of these; in version 1.0, a share-alike licence allows no later one."""

_SPELLED = {
    **{name.upper().replace(" ", "-"): name for name in (*FREE, *BESIDE)},
    "CC0": "CC0-1.0",
    "CC-0": "CC0-1.0",
    "CC-0-1.0": "CC0-1.0",
    "APACHE-LICENSE-2.0": "Apache-2.0",
}
_CC = re.compile(rf"({'|'.join(sorted(CREATIVE_COMMONS, key=len, reverse=True))})(?:-({'|'.join(VERSIONS)}))?")


@dataclass(frozen=True)
class Combined:
    """The licence of a whole, and in a sentence what is wrong with it; empty where nothing is."""

    licence: str
    problem: str = ""


def combined(licences: Iterable[str]) -> Combined:
    """The licence of an adapter that is made of texts under these licences: of those known, the one that asks for most.

    One that is not stated leaves the whole not stated, and one that is not known here is named beside the others.
    """
    given = tuple(dict.fromkeys(licences))
    stated = tuple(dict.fromkeys(map(known_name, given)))
    if len(stated) == 1:
        return Combined(given[0] if len(given) == 1 else stated[0])
    if NOT_STATED in stated:
        others = ", ".join(name for name in stated if name != NOT_STATED)
        return Combined(NOT_STATED, f"some of its texts state none, the others {others}")
    if unknown := [name for name in stated if _family(name) is None]:
        problem = f"what {' and '.join(unknown)} asks for beside the others is not known here"
        return Combined(f"of its texts: {', '.join(stated)}", problem)
    if problem := _conflict(stated):
        return Combined(f"of its texts: {', '.join(stated)}", problem)
    return Combined(_most_asking(stated))


def known_name(licence: str) -> str:
    """The licence by its SPDX name where the table has it (`CC BY-SA 4.0`: `CC-BY-SA-4.0`), else as it is."""
    spelled = re.sub(r"[\s_-]+", "-", licence.strip().upper())
    return _SPELLED.get(spelled) or (spelled if _CC.fullmatch(spelled) else licence.strip())


def _family(name: str) -> str | None:
    """The row of the table that a name is of."""
    if name in FREE or name in BESIDE:
        return name
    found = _CC.fullmatch(name)
    return found and found[1]


def _asks(name: str) -> frozenset[str]:
    return CREATIVE_COMMONS.get(_family(name) or "", frozenset())


def _conflict(stated: Sequence[str]) -> str:
    """In a sentence, which two cannot be kept together; empty where all can."""
    everything = frozenset().union(*map(_asks, stated))
    for name in stated:
        if NO_CHANGES in _asks(name):
            return f"{name} allows no changed versions to be passed on, and a mix with others is one"
        if SHARE_ALIKE in _asks(name) and (more := everything - _asks(name)):
            other = next(entry for entry in stated if _asks(entry) & more)
            return f"{name} asks to be passed on under itself, and {other} asks for more ({', '.join(sorted(more))})"
    return ""


def _most_asking(stated: Sequence[str]) -> str:
    beside = [name for name in stated if name in BESIDE]
    asking = [name for name in stated if _asks(name)]
    if not asking:
        return " AND ".join(beside) or next(name for name in FREE if name in stated)
    most = max((_asks(name) for name in asking), key=len)
    deciding = [name for name in asking if _asks(name) == most]
    # A share-alike licence allows its later versions; where a version is not said, none is made up.
    unversioned = [name for name in deciding if name in CREATIVE_COMMONS]
    return " AND ".join([*(unversioned or [max(deciding)]), *beside])
