"""Messages written for Python, said for a shell."""

import re

_WORDS = re.compile(r"(?<![\w/.\\-])([a-z_]+)=(True|\.\.\.|'[^']*'|[\w.-]*\w)")

_PARTS = re.compile(r"(?<![\w/.\\-])([a-z_]+)=\{([^{}]*)\}")
_PART = re.compile(r"'(\w+)': ('[^']*'|\.\.\.|[\w.-]+)")


def in_shell_words(message: str, options: frozenset[str]) -> str:
    """`overwrite=True` as `--overwrite`, `text=...` as `--text`, `objective='mlm'` as `--objective mlm`.

    `columns={'text': ..., 'label': ...}` is `--columns text=NAME --columns label=NAME`.

    Only what is an option of a command is changed.
    """

    def said(found: re.Match[str]) -> str:
        name, value = found.groups()
        if name not in options:
            return found.group()
        flag = f"--{name.replace('_', '-')}"
        return flag if value in ("True", "...") else f"{flag} {value.strip(chr(39))}"

    def said_each(found: re.Match[str]) -> str:
        name, parts = found.groups()
        if name not in options:
            return found.group()
        pairs = ((key, value.strip("'")) for key, value in _PART.findall(parts))
        return " ".join(f"--{name} {key}={'NAME' if value == '...' else value}" for key, value in pairs)

    return _PARTS.sub(said_each, _WORDS.sub(said, message))
