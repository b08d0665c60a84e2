"""An objective that is left to the text and the backbone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from adaptkit.errors import ConfigError
from adaptkit.objectives import OBJECTIVES, Objective, objective_of
from adaptkit.options import Options, options_of
from adaptkit.requests.refusals import refuse
from adaptkit.terminal.asking import how_to_bring_own, option_name


@dataclass(frozen=True)
class Auto:
    """The objective that suits text and backbone, with what of its options is `given`, by name.

    Raises:
        ConfigError: Options that cannot be right, or that no one objective has all of.
    """

    given: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.possible():
            refuse(self.given, "each other")

    def possible(self) -> Sequence[Options]:
        """The options of each objective that has all that is given."""
        return [row.options(**self.given) for row in OBJECTIVES.values() if not self._foreign_to(row)]

    def decided(self, row: Objective) -> Options:
        """The options of the objective that it has come to.

        Raises:
            ConfigError: An option is given that this objective does not have.
        """
        refuse(self._foreign_to(row), f"objective {row.name!r}")
        made: Options = row.options(**self.given)
        return made

    def _foreign_to(self, row: Objective) -> tuple[str, ...]:
        return tuple(name for name in self.given if name not in options_of(row.options))


AUTO = Auto()


def objective_named(asked: "str | Auto | Options") -> "Auto | Options":
    """What is asked for; a name stands for the objective's options with their defaults, or for `auto`.

    Raises:
        ConfigError: No objective has that name, or such options.
    """
    if isinstance(asked, Auto):
        return asked
    if isinstance(asked, str):
        return AUTO if asked == "auto" else objective_row(asked).options()
    if isinstance(asked, type):
        raise ConfigError(f"objective takes a value, found the class {asked.__name__}: write {asked.__name__}().")
    objective_of(asked)
    return asked


def objective_row(name: str) -> Objective:
    """The row of a name.

    Raises:
        ConfigError: There is none.
    """
    if name not in OBJECTIVES:
        raise ConfigError(
            f"{option_name('objective')} is auto, {', '.join(OBJECTIVES)}, found {name!r}.{how_to_bring_own()}"
        )
    return OBJECTIVES[name]
