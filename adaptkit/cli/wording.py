"""Messages written for Python, said for a shell."""

import re

_WORDS = re.compile(r"(?<![\w/.\\-])([a-z_]+)=(True|\.\.\.|'[^']*'|[\w.-]*\w)")


def in_shell_words(message: str, options: frozenset[str]) -> str:
    """`overwrite=True` as `--overwrite`, `text=...` as `--text`, `objective='mlm'` as `--objective mlm`.

    Only what is an option of a command is changed.
    """

    def said(found: re.Match[str]) -> str:
        name, value = found.groups()
        if name not in options:
            return found.group()
        flag = f"--{name.replace('_', '-')}"
        return flag if value in ("True", "...") else f"{flag} {value.strip(chr(39))}"

    return _WORDS.sub(said, message)
