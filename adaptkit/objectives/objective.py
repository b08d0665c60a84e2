"""A row of the table of objectives: what is known of one without training it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from adaptkit.errors import ConfigError
from adaptkit.later import later
from adaptkit.options import Options
from adaptkit.terminal.asking import as_typed, option_name

BackboneKind: TypeAlias = Literal["encoder", "decoder"]

_IN_WORDS = {
    "encoder": "an encoder, in which tokens see each other",
    "decoder": "a decoder, in which no token sees a later one",
}


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What adapters can be trained towards, on text.

    `options` is the frozen dataclass of what a caller may ask, all with defaults. `training` gives the class that knows
    how it trains (`adaptkit.training.objectives.ObjectiveTraining`). `epochs` and `most_steps` bound a run whose steps
    the caller has not said. `warmup` says how many first steps options ask for in which only the loss's own weights
    train, or None. `backbone` None means encoders and decoders alike. An objective that is `by_default` is
    taken where the caller leaves it open and text and backbone suit it. One that `needs_lexicon` is given no text
    without a dictionary, and the others are given none. A `closed_form` one computes no gradients, and is for methods
    that are so. `idle` are the options of a run that mean nothing to it. `run` gives the class of its runs. `heldout`
    says what its held-out loss is, and `enough` what text is enough, for a plan whose text is short; empty is as of
    most. `title` says in a word or two what it is, and `paper` goes on the cards of adapters that it trains.
    """

    name: str
    title: str
    options: type[Options]
    training: Callable[[], Any]
    epochs: int = 3
    most_steps: int = 600
    learning_rate: float = 5e-4
    paper: str = ""
    warmup: Callable[[Any], int | None] = lambda _: None
    needs_translations: bool = False
    needs_lexicon: bool = False
    backbone: BackboneKind | None = None
    by_default: bool = False
    closed_form: bool = False
    idle: tuple[str, ...] = ()
    heldout: str = "loss"
    enough: str = ""
    run: Callable[[], Any] = later("adaptkit.training.loop", "TrainingRun")

    def suits(self, *, translated: bool, kind: BackboneKind, glossed: bool = False) -> bool:
        """Whether it can train on such text, with a dictionary where it is `glossed`, and such a backbone."""
        return (
            self.backbone in (None, kind)
            and (translated or not self.needs_translations)
            and (glossed or not self.needs_lexicon)
        )

    def require_backbone(self, kind: BackboneKind) -> None:
        """See that it trains on this kind of backbone.

        Raises:
            ConfigError: It does not.
        """
        if self.backbone not in (None, kind):
            raise ConfigError(f"objective {self.name!r} does not go with {_IN_WORDS[kind]}.")

    def require_steps(self, asked: object, max_steps: int | None) -> None:
        """See that a warm-up that is asked for leaves steps for the adapter.

        Raises:
            ConfigError: It does not.
        """
        warmup = self.warmup(asked)
        if warmup is not None and max_steps is not None and warmup >= max_steps:
            names = (option_name("head_warmup"), option_name("max_steps"))
            raise ConfigError(f"{names[0]} must be below {names[1]}, found {warmup} and {max_steps}.")

    def require_text(self, *, translated: bool, glossed: bool = False) -> None:
        """See that what it needs is there: text with translations, or one that is `glossed`, with a dictionary.

        Raises:
            ConfigError: It does not.
        """
        if self.needs_translations and not translated:
            raise ConfigError(
                f"{self.title} needs sentences with their translations: give {as_typed(parallel=...)} instead of "
                f"{as_typed(text=...)}, or "
                f"{as_typed(objective='mlm')}."
            )
        if self.needs_lexicon and not glossed:
            raise ConfigError(
                f"{self.title} needs a dictionary of the language: give {as_typed(lexicon=...)} beside "
                f"{as_typed(text=...)}, or {as_typed(objective='mlm')}."
            )
