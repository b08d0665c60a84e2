"""What generation gives: texts that are finished, and pieces of texts while they are written."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Stopped: TypeAlias = Literal["end", "stop", "length", "window"]
"""Why a text ended: at the model's own end token, at a stop string, after `max_new_tokens`, or where the window of
positions was full."""


@dataclass(frozen=True)
class Generated:
    """What was written behind one prompt; the prompt is not part of it.

    `ids` are all new tokens, with an end token, and with those of a stop string, which `text` has no more; `stop` is
    that string. `log_probabilities`, if they were asked for, are the natural logarithms of what the model gave each of
    `ids`, before temperature, top_k, top_p and penalty.
    """

    text: str
    ids: tuple[int, ...]
    stopped: Stopped
    stop: str | None = None
    log_probabilities: tuple[float, ...] | None = None

    @property
    def n_tokens(self) -> int:
        """How many tokens were generated."""
        return len(self.ids)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class GeneratedPiece:
    """The next piece of the text behind one prompt, which `prompt` numbers; printed, it is its text.

    `generated` is the whole result, in the last piece of a prompt; that one may have no text of its own.
    """

    prompt: int
    text: str
    generated: Generated | None = None

    def __str__(self) -> str:
        return self.text
