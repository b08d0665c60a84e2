"""What became of one input."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Outcome:
    """`what` is the error's class where the input was refused; `detail` tells a finding apart from others."""

    kind: Literal["accepted", "refused", "finding"]
    what: str = ""
    detail: str = ""
    story: str = ""


class Unsound(Exception):
    """An input was accepted, and what came of it is not what it should be."""
