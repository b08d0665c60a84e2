"""Options: the fields of a frozen dataclass, each with the sentence that help, docs and error messages show.

```python
@dataclass(frozen=True, kw_only=True)
class Lora(Options):
    rank: int = option(16, "LoRA rank", least=1)
```
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Literal, TypeAlias, get_type_hints

from adaptkit.annotations import Unfit, fitted
from adaptkit.bounds import Bounds
from adaptkit.errors import ConfigError
from adaptkit.terminal.asking import option_name

Recorded: TypeAlias = str | float | int | bool | None
RecordedWhen: TypeAlias = bool | Literal["changed"]
_HELP, _ASKED_AS, _RECORDED, _SHELL = "help", "asked_as", "recorded", "shell"
_BOUNDS, _CHOICES = "bounds", "choices"


class Options:
    """What dataclasses inherit whose fields are options: values are looked at when one is made.

    A list where a tuple is meant becomes one.

    Raises:
        ConfigError: A value of another type than its field, or a number outside its bounds.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __post_init__(self) -> None:
        for entry in options_of(type(self)).values():
            given = vars(self)[entry.field]
            found = entry.checked(given)
            if found is not given:
                object.__setattr__(self, entry.field, found)


@dataclass(frozen=True)
class Shell:
    """How a shell gives an option that is not one plain value.

    A shell reads values of `kind`, such as `list[Path]` for a flag that may be repeated; `read` makes of them what
    Python would be given. `help` stands for the sentence where that is another one.
    """

    kind: Any
    help: str | None = None
    metavar: str | None = None
    read: Callable[[Any], object] = tuple


def option(
    default: Any,  # noqa: ANN401 - dataclasses.field is typed so
    text: str,
    *,
    asked_as: str | None = None,
    recorded: RecordedWhen = True,
    shell: Shell | None = None,
    choices: Collection[str] | None = None,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> Any:  # noqa: ANN401
    """A field with a default (`MISSING`: none; a class: a new one each time) and the sentence that says what it is.

    `asked_as` is its flat name, as a flag has it, where the field's own would not do outside its class. What is not
    `recorded` stands on no card: paths, texts, and what does not decide the result; what few ask for stands there where
    it is "changed" from its default. A text is one of the `choices`,
    which may grow, such as the names in a table. A number lies from `least` to
    `most`, or strictly `above` and `below`.
    """
    bounds = Bounds(least=least, most=most, above=above, below=below)
    metadata = {
        _HELP: text,
        _ASKED_AS: asked_as,
        _RECORDED: recorded,
        _SHELL: shell,
        _BOUNDS: bounds,
        _CHOICES: choices,
    }
    return (
        field(default_factory=default, metadata=metadata)
        if isinstance(default, type)
        else field(default=default, metadata=metadata)
    )


@dataclass(frozen=True)
class Option:
    """One of them, as help and docs list it; `name` is the flat one, `field` that of the dataclass."""

    name: str
    kind: Any
    default: Any
    help: str
    field: str
    recorded: RecordedWhen = True
    shell: Shell | None = None
    bounds: Bounds = Bounds()
    choices: Collection[str] | None = None

    def checked(self, value: object) -> object:
        """A value for it, as its type has it.

        Raises:
            ConfigError: A value of another type, a number outside its bounds, or a text that is no choice.
        """
        name = option_name(self.field, flag=self.name)
        try:
            # A type that is only written down may be known to type checkers alone: who reads the value looks at it.
            found = value if isinstance(self.kind, str) else fitted(self.kind, value)
        except Unfit as error:
            raise ConfigError(f"{name} takes {error}, found {value!r:.80}.") from error
        if isinstance(found, int | float) and (right := self.bounds.wrong(found)):
            raise ConfigError(f"{name} must {right}, found {value}.")
        if isinstance(found, str) and self.choices is not None and found not in self.choices:
            near = get_close_matches(found, self.choices, n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"{name} takes {', '.join(self.choices)}, found {found!r:.80}.{meant}")
        return found

    @property
    def shell_help(self) -> str:
        """The sentence for a shell."""
        return self.help if self.shell is None or self.shell.help is None else self.shell.help


def options_of(owner: type) -> Mapping[str, Option]:
    """The options among the fields of a dataclass, by flat name, in their order; fields without a sentence are none."""
    return _gathered(owner)


@cache  # each value that is made asks for them
def _gathered(owner: type) -> Mapping[str, Option]:
    found = (_option_of(owner, entry) for entry in fields(owner) if _HELP in entry.metadata)
    return MappingProxyType({entry.name: entry for entry in found})


def _option_of(owner: type, entry: "Field[Any]") -> Option:
    shell, written = entry.metadata[_SHELL], isinstance(entry.type, str)
    return Option(
        name=entry.metadata[_ASKED_AS] or entry.name,
        # A type that only exists while types are checked is none that a shell could read.
        kind=get_type_hints(owner)[entry.name] if written and shell is None else entry.type,
        default=None if entry.default is MISSING else entry.default,
        help=entry.metadata[_HELP],
        field=entry.name,
        recorded=entry.metadata[_RECORDED],
        shell=shell,
        bounds=entry.metadata[_BOUNDS],
        choices=entry.metadata[_CHOICES],
    )


def recorded(values: Options) -> Mapping[str, Recorded]:
    """The options that decide a result, as plain values by flat name, for a card."""
    options = options_of(type(values)).values()
    entries = [it for it in options if it.recorded is True or (it.recorded and vars(values)[it.field] != it.default)]
    return {entry.name: _plain(vars(values)[entry.field]) for entry in entries}


def _plain(value: Any) -> Recorded:  # noqa: ANN401
    if isinstance(value, Mapping):
        return ",".join(f"{name}={part}" for name, part in value.items())
    return ",".join(map(str, value)) if isinstance(value, tuple) else value
