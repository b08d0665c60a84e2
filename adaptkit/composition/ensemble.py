"""Several stacks that answer each input together: a frozen value without tensors, printable and parsable.

language/sw-glossary > task/topics | language/sw > task/topics
"""

from dataclasses import dataclass

from adaptkit.composition.expression import Composition, Stack
from adaptkit.errors import ConfigError

_LEAST_STACKS = 2


@dataclass(frozen=True, init=False)
class Ensemble:
    """Stacks that answer each input together, by the mean of their probabilities or scores.

    Each is a stack, or the text of one. An ensemble answers and does nothing else: it has no vectors, no text and no
    weights, and it is no part of another composition.

    Raises:
        ConfigError: Fewer than two stacks, one twice, one without an adapter, or one that is none.
    """

    stacks: tuple[Stack, ...]

    def __init__(self, *stacks: Composition | str) -> None:
        object.__setattr__(self, "stacks", tuple(map(_as_stack, stacks)))
        if len(stacks) < _LEAST_STACKS:
            found = repr(str(self.stacks[0])) if stacks else "none"
            raise ConfigError(
                f"an ensemble has at least {_LEAST_STACKS} stacks, such as 'topics' and 'sw > topics', found {found}."
            )
        if not all(stack.parts for stack in self.stacks):
            raise ConfigError(f"a stack of the ensemble {str(self)!r} has no adapter, so that it answers nothing.")
        twice = next((stack for stack in self.stacks if self.stacks.count(stack) > 1), None)
        if twice is not None:
            raise ConfigError(f"the ensemble has {twice} twice; each stack counts once.")

    @classmethod
    def parse(cls, text: str, *, any_order: bool = False) -> "Ensemble":
        """Read what `str(ensemble)` prints.

        Raises:
            ConfigError: Anything else.
        """
        # The parser builds these values, so it cannot be imported above them.
        from adaptkit.composition.parser import parse_composition

        found = parse_composition(text, any_order=any_order)
        return found if isinstance(found, Ensemble) else cls(found)

    def __str__(self) -> str:
        return " | ".join(map(str, self.stacks))


def one_stack(asked: Stack | Ensemble) -> Stack:
    """What was asked for, where that is one stack.

    Raises:
        ConfigError: It is an ensemble.
    """
    if isinstance(asked, Ensemble):
        raise ConfigError(
            f"{str(asked)!r} is an ensemble, which can be asked for answers alone (model.predict, adaptkit.evaluate, "
            "their commands, and a server's paths for heads): it has no vectors, no text and no weights. Here, "
            "name one of its stacks."
        )
    return asked


def _as_stack(named: Composition | str) -> Stack:
    if isinstance(named, str):
        return Stack.parse(named)
    return named if isinstance(named, Stack) else Stack(named)
