"""A method: what it is and what differs between it and others, in one row. How it computes is named, not imported."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from adaptkit.config import KINDS, SITES, Kind, SiteName, SiteShape
from adaptkit.errors import ConfigError
from adaptkit.options import Options

TensorShapes: TypeAlias = Mapping[str, tuple[int, ...]]
"""Shapes of a layer's tensors, by their names in the layer, such as `down.weight`."""


class MethodConfig(Protocol):
    """What an adapter of a method is, concretely, as its file has it: a frozen dataclass of plain fields."""

    @property
    def sites(self) -> tuple[SiteName, ...]:
        """Where it acts; empty where it has no layers."""
        ...

    @property
    def blocks(self) -> tuple[int, ...] | None:
        """The transformer blocks in which it acts, ascending; None: all."""
        ...

    @property
    def fuses(self) -> tuple[str, ...]:
        """Ids of the adapters whose contributions it mixes; empty where it adds its own."""
        ...

    def tensors(self, place: SiteShape) -> TensorShapes:
        """The tensors of its layer at a site, in the order in which the layer has them."""
        ...


@dataclass(frozen=True)
class Below:
    """An adapter that lies below the one to be made: its id, the sites where it acts, whether it has an invertible."""

    id: str
    sites: tuple[SiteName, ...]
    inverts: bool = False


@dataclass(frozen=True)
class Surroundings:
    """What an adapter is made for: the sites that the backbone has, and the adapters below."""

    sites: Collection[SiteName] = SITES
    below: tuple[Below, ...] = ()


class MethodOptions(Options, ABC):
    """What a caller asks of a method: a frozen dataclass, each field an `option(...)` with its sentence."""

    @abstractmethod
    def config(self, there: Surroundings) -> MethodConfig:
        """The adapter that is meant.

        Raises:
            ConfigError: Options that cannot be right, there or anywhere.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class Method:
    """A row of METHODS.

    `config` is the class of what an adapter is, `layer` gives the function that builds a layer from such a value and a
    `SiteShape` (None where there are no layers). `options` is the class of what is asked for in training; without one,
    adapters of the method are imported only, by `imported_by`. Its adapters are of `kinds`; `why_kinds` says why of
    no others (`{kind}` stands for the one that was asked for).

    `paper` stands on cards. `format_version` is the oldest version of the adapter folder that knows the method, and
    with `is_peft`, one that is nothing but its layers is written in peft's own form. `before_norm` says that it acts
    before a layer norm that follows a residual sum. `learning_rate` and `min_steps` are defaults of training on a task;
    on text, the objective's rate is multiplied by `text_rate`. The weights of one that has a `closed_form` can be
    found without gradients, by the objective of that name, which is taken where the caller leaves it open; what has no
    layers has nothing else to train by.
    """

    name: str
    config: type[MethodConfig]
    layer: Callable[[], Callable[..., object]] | None = None
    options: type[MethodOptions] | None = None
    imported_by: str = ""
    kinds: tuple[Kind, ...] = KINDS
    why_kinds: str = ""
    paper: str = ""
    format_version: int = 1
    is_peft: bool = False
    before_norm: bool = False
    learning_rate: float = 5e-4
    min_steps: int = 150
    text_rate: float = 1.0
    closed_form: str = ""

    def require_kind(self, kind: Kind) -> None:
        """Let it be one by which an adapter of a kind can be trained.

        Raises:
            ConfigError: It is not.
        """
        if kind not in self.kinds:
            raise ConfigError(self.why_kinds.format(kind=kind) or f"method {self.name!r} trains no {kind} adapter.")
