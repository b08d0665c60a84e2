"""Values as TOML, for files that adaptkit writes and a person may change."""

import json
from collections.abc import Mapping


def toml(value: object) -> str:
    """A text, number, truth value, list or mapping as TOML, in one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{toml(name)} = {toml(each)}' for name, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    # Basic strings of TOML have JSON's escapes, and need one for DEL too.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
