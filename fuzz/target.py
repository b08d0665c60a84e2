"""A target: what is fed with hostile bytes."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from adaptkit.errors import AdaptkitError
from fuzz.outcome import Outcome, Unsound
from fuzz.watch import Misdeed, watched

MAX_MESSAGE = 10_000
_PACKAGE = str(Path(__file__).parents[1])


@dataclass(frozen=True, kw_only=True)
class Target:
    """`read` takes the bytes; it gives a check of what came of them, which is run unwatched and raises `Unsound`.

    `seeds` are sound inputs, `mutate` makes another input of one of them. What `read` needs on disk is written by
    `prepare`, which gives what `read` is called with.
    """

    seeds: Callable[[], list[bytes]]
    mutate: Callable[[bytes, Random], bytes]
    read: Callable[[bytes], Callable[[], None]]
    prepare: Callable[[bytes], None] = lambda _: None

    def try_one(self, data: bytes) -> Outcome:
        """Feed one input."""
        self.prepare(data)
        try:
            with watched():
                check = self.read(data)
            check()
        except AdaptkitError as error:
            return _refused(error)
        except (Exception, Misdeed) as error:
            return _finding(error, type(error).__name__)
        return Outcome("accepted")


def _refused(error: AdaptkitError) -> Outcome:
    message = str(error)
    if len(message) > MAX_MESSAGE:
        return _finding(error, f"a message of more than {MAX_MESSAGE:,} signs")
    if any(not sign.isprintable() and sign not in "\n\t\u200c\u200d" for sign in message):
        return _finding(error, "a message with control characters")
    return Outcome("refused", type(error).__name__, _place(error))


def _finding(error: BaseException, what: str) -> Outcome:
    story = "".join(traceback.format_exception(error, limit=-12))
    own = f": {error}" if isinstance(error, Unsound | Misdeed) else ""
    return Outcome("finding", what, f"{what}{own:.300} at {_place(error)}", story[-20_000:])


def _place(error: BaseException) -> str:
    """The last line of ours in the traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(_PACKAGE)]
    frames = [frame for frame in frames if ".venv" not in frame.filename]
    return f"{Path(frames[-1].filename).relative_to(_PACKAGE)}:{frames[-1].lineno}" if frames else "nowhere"
