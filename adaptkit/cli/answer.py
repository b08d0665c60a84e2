"""What a command answers: facts for a program (`--json`), and words for a person."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adaptkit.terminal.console import PlainConsole

_out = PlainConsole()


@dataclass(frozen=True)
class Answer:
    """One answer. `words` are lines, or a call that prints them; `status` is that of the process.

    `confirms` says that the words only tell what was done, which nobody who is `--quiet` asked for.
    """

    facts: Mapping[str, object]
    words: str | Callable[[], None]
    confirms: bool = False
    status: int = 0

    def give(self, *, as_json: bool, quiet: bool) -> None:
        """Print it on standard output, as one line of JSON or in words."""
        if as_json:
            from adaptkit.cli.json_lines import json_line

            sys.stdout.write(json_line(self.facts) + "\n")
        elif self.confirms and quiet:
            return
        elif isinstance(self.words, str):
            _out.print(self.words)
        else:
            self.words()
