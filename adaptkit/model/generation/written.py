"""A text that grows token by token: which letters are final, and where it ends."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from transformers import PreTrainedTokenizerBase

from adaptkit.model.generation.generated import Generated, Stopped

_CONTEXT = 6
"""Tokens of the prompt that new ones are decoded behind: whether a word begins with a space, its neighbour decides."""
_UNFINISHED = "\ufffd"


@dataclass(eq=False)
class WrittenText:
    """One text while it is written. Letters are handed out once they can no longer change or turn out to be a stop.

    `ends` are the token ids at which the model itself ends a text. `room` is how many tokens there may be at most, and
    `filled` why a text ends that has as many.
    """

    tokenizer: PreTrainedTokenizerBase
    prompt: Sequence[int]
    ends: Collection[int]
    stops: Sequence[str]
    room: int
    filled: Stopped
    ids: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)
    stopped: Stopped | None = None
    stop: str | None = None
    _text: str = ""
    _n_handed_out: int = 0

    def __post_init__(self) -> None:
        self._behind = list(self.prompt[-_CONTEXT:])
        self._known = self._decoded(self._behind)

    def add(self, token: int) -> str:
        """Take the next token, and give the letters that are final now."""
        self.ids.append(token)
        if token in self.ends:
            return self._ended("end")
        self._behind.append(token)
        self._read(flush=False)
        if self._found_stop():
            return self._ended("stop")
        return self._ended(self.filled) if len(self.ids) >= self.room else self._handed_out(self._n_sure())

    def generated(self) -> Generated:
        """The whole result, once it has `stopped`."""
        assert self.stopped is not None  # noqa: S101 - the caller has looked
        told = tuple(self.log_probabilities) if self.log_probabilities else None
        return Generated(self._text, tuple(self.ids), self.stopped, self.stop, told)

    def _ended(self, why: Stopped) -> str:
        if why != "stop":
            self._read(flush=True)
            why = "stop" if self._found_stop() else why
        self.stopped = why
        return self._handed_out(len(self._text))

    def _read(self, *, flush: bool) -> None:
        """Decode what is new; a letter whose bytes are spread over tokens waits for the last of them."""
        now = self._decoded(self._behind)
        if now.endswith(_UNFINISHED) and not flush:
            return
        self._text += now[len(self._known) :]
        self._behind = self._behind[-_CONTEXT:]
        self._known = self._decoded(self._behind)

    def _decoded(self, ids: list[int]) -> str:
        text = self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        assert isinstance(text, str)  # noqa: S101 - of one row
        return text

    def _found_stop(self) -> bool:
        """Cut the text at the first stop string in it."""
        places = [(self._text.find(stop, self._n_handed_out), -len(stop), stop) for stop in self.stops]
        found = min((place for place in places if place[0] >= 0), default=None)
        if found is not None:
            self._text, self.stop = self._text[: found[0]], found[2]
        return found is not None

    def _n_sure(self) -> int:
        """How many letters are no beginning of a stop string."""
        text = self._text
        longest = max((len(stop) for stop in self.stops), default=0)
        for start in range(max(self._n_handed_out, len(text) - longest + 1), len(text)):
            if any(stop.startswith(text[start:]) for stop in self.stops):
                return start
        return len(text)

    def _handed_out(self, until: int) -> str:
        piece = self._text[self._n_handed_out : until]
        self._n_handed_out = until
        return piece
