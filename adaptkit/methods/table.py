"""The table of methods, and which row a value is of."""

from adaptkit.errors import ConfigError
from adaptkit.methods.method import Method, MethodConfig, MethodOptions
from adaptkit.table import Table
from adaptkit.terminal.asking import how_to_bring_own, option_name

METHODS: Table[Method] = Table("method")
"""How an adapter may compute: the rows of all methods, by name; `register` adds one."""


def method_of(value: MethodConfig | MethodOptions) -> Method:
    """The row that a config or options belong to.

    Raises:
        ConfigError: No registered method has such.
    """
    for row in METHODS.values():
        if type(value) in (row.config, row.options):
            return row
    raise ConfigError(
        f"{type(value).__name__} belongs to no registered method; register its row first: "
        "adaptkit.METHODS.register(Method(...))."
    )


def options_named(asked: str | MethodOptions) -> MethodOptions:
    """What is asked for; a name stands for the method's options with their defaults.

    Raises:
        ConfigError: No method has that name, or it is one that is imported only.
    """
    if isinstance(asked, type):
        raise ConfigError(f"method takes a value, found the class {asked.__name__}: write {asked.__name__}().")
    if not isinstance(asked, str):
        return asked if method_of(asked).options is type(asked) else _refused(asked)
    trained = [name for name, row in METHODS.items() if row.options is not None]
    row = METHODS.get(asked)
    if row is None or row.options is None:
        hint = how_to_bring_own() if row is None else f" That one is only imported (adaptkit.{row.imported_by})."
        raise ConfigError(f"{option_name('method')} is {', '.join(trained)}, found {asked!r}.{hint}")
    return row.options()


def _refused(config: object) -> MethodOptions:
    raise ConfigError(f"method takes options such as adaptkit.Lora(rank=8), or a name, found {config!r}.")
