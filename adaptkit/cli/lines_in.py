"""Lines that a command is given: a file, or standard input."""

import sys
from pathlib import Path

from adaptkit.errors import ConfigError


def lines_in(path: Path | None) -> list[str]:
    """The lines of a file in UTF-8, or of standard input where none is named; empty ones stay.

    Only a line feed ends a line: a JSON string may hold other separators of lines.

    Raises:
        ConfigError: It cannot be read, or is not UTF-8.
    """
    named = "the input" if path is None else str(path)
    try:
        given = sys.stdin.buffer.read() if path is None else path.read_bytes()
        text = given.decode("utf-8-sig").replace("\r\n", "\n").removesuffix("\n")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{named} is not UTF-8 (byte {error.start:,}). Convert it, for example with: iconv -f UTF-16 -t UTF-8"
        ) from error
    except OSError as error:
        raise ConfigError(f"{named} cannot be read ({error.strerror}); give a file of lines.") from error
    return text.split("\n") if text else []
