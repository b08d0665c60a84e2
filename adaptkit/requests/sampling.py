"""How the next token is chosen where text is generated."""

from dataclasses import dataclass

from adaptkit.errors import ConfigError
from adaptkit.options import Options, option
from adaptkit.terminal.asking import as_typed, option_name

_LEAST_TEMPERATURE = 1e-6
"""Divided by less, logits are infinite in single precision."""


@dataclass(frozen=True, kw_only=True)
class Sampling(Options):
    """How the next token is chosen, and at which strings a text ends: greedily unless a temperature is given.

    `top_k` and `top_p` (nucleus sampling, Holtzman et al. 2020, arXiv:1904.09751) say among which tokens is sampled;
    `repetition_penalty` (Keskar et al. 2019, arXiv:1909.05858) acts on greedy choices too. What a prompt is sampled
    with comes from `seed`, from the prompt, and from how often it was given before in the same call: it does not matter
    which other prompts there are. A `stop` string is not part of the text that it ends.

    Raises:
        ConfigError: A number that cannot be right, such as a temperature between 0 and 1e-6; an empty stop string; or
            top_k or top_p without a temperature.
    """

    temperature: float = option(0.0, "0: the most probable token each time; else logits are divided by it", least=0)
    top_k: int | None = option(None, "sample among so many most probable tokens", least=1)
    top_p: float | None = option(
        None, "sample among the most probable tokens that together have this probability", above=0, most=1
    )
    repetition_penalty: float = option(
        1.0, "above 1, tokens that the prompt or the new text has are less probable", above=0
    )
    seed: int = option(0, "seed of what is sampled", least=0)
    stop: str | tuple[str, ...] = option((), "string at which a text ends, which is left out")

    def __post_init__(self) -> None:
        super().__post_init__()
        if "" in self.stops:
            raise ConfigError(f"{option_name('stop')} has an empty string, at which every text ends; leave it out.")
        if 0 < self.temperature < _LEAST_TEMPERATURE:
            raise ConfigError(
                f"{option_name('temperature')} is {self.temperature}, by which logits cannot be divided. Give 0 for "
                f"the most probable token each time, or at least {_LEAST_TEMPERATURE}."
            )
        for name in ("top_k", "top_p"):
            if self.is_greedy and getattr(self, name) is not None:
                raise ConfigError(
                    f"{option_name(name)} says among which tokens is sampled, and without a temperature the most "
                    f"probable one is taken each time. Give {as_typed(temperature=0.8)} too, or leave it out."
                )

    @property
    def stops(self) -> tuple[str, ...]:
        """The strings at which a text ends."""
        return (self.stop,) if isinstance(self.stop, str) else self.stop

    @property
    def is_greedy(self) -> bool:
        """Whether the most probable token is taken each time."""
        return self.temperature == 0


GREEDY = Sampling()
