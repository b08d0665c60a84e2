"""Options: the fields of a frozen dataclass, each with the sentence that help, docs and error messages show.

```python
@dataclass(frozen=True, kw_only=True)
class Lora:
    rank: int = option(16, "LoRA rank")
```
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, get_type_hints

_HELP = "help"


def option(default: Any, text: str) -> Any:  # noqa: ANN401 - dataclasses.field is typed so
    """A field with a default and the sentence that says what it is."""
    return field(default=default, metadata={_HELP: text})


@dataclass(frozen=True)
class Option:
    """One of them, as help and docs list it."""

    name: str
    kind: Any
    default: Any
    help: str


def options_of(owner: type) -> Mapping[str, Option]:
    """The options among the fields of a dataclass, by name, in their order; fields without a sentence are none."""
    hints = get_type_hints(owner)
    return {
        entry.name: Option(entry.name, hints[entry.name], None if entry.default is MISSING else entry.default, text)
        for entry in fields(owner)
        if (text := entry.metadata.get(_HELP))
    }
