"""No layers, a head alone: what is asked for, what an adapter is, and its row."""

from dataclasses import dataclass
from typing import ClassVar

from adaptkit.config import SiteName, SiteShape
from adaptkit.methods.method import Method, MethodOptions, Surroundings, TensorShapes


@dataclass(frozen=True, kw_only=True)
class HeadOnlyConfig:
    """No layers at any site: of a task adapter, only the head is trained.

    Its hidden states are those of the backbone and of what lies below, so that a language adapter that brings a
    language's vectors to where English ones are brings them to where the head expects them.
    """

    sites: ClassVar[tuple[SiteName, ...]] = ()
    blocks: ClassVar[None] = None
    fuses: ClassVar[tuple[str, ...]] = ()

    def tensors(self, place: SiteShape) -> TensorShapes:  # noqa: ARG002 - as every config
        """None at any site."""
        return {}


@dataclass(frozen=True, kw_only=True)
class HeadOnly(MethodOptions):
    """The head of a task adapter, to be trained on its own."""

    def config(self, there: Surroundings) -> HeadOnlyConfig:  # noqa: ARG002 - as all options
        """No layers, wherever that is."""
        return HeadOnlyConfig()


HEAD_ONLY = Method(
    name="head",
    config=HeadOnlyConfig,
    options=HeadOnly,
    kinds=("task",),
    why_kinds="method 'head' trains the head of a task, and a {kind} adapter has none.",
    # A head alone takes more and larger steps, and its steps cost little.
    learning_rate=2e-3,
    min_steps=500,
)
