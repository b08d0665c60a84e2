"""What an adapter is: a method, and what goes with it."""

from dataclasses import dataclass

from adaptkit.errors import ConfigError
from adaptkit.methods import GlossaryConfig, InvertibleConfig, MethodConfig, PiecesConfig, Reading, method_of
from adaptkit.objectives.projection import ProjectionConfig
from adaptkit.task_types import HeadConfig


@dataclass(frozen=True, kw_only=True)
class AdapterConfig:
    """A method; for a language adapter optionally the invertible layer below it; for a task adapter its head.

    With `hides_top_block`, adapters below it do not act in the last block (MAD-X 2.0, Pfeiffer et al. 2021,
    arXiv:2012.15562). With `pieces`, a text under it is read by these too, each with an embedding row of its own. With
    `projection`, it has kept the way from hidden states to tokens that it was trained with.

    Raises:
        ConfigError: No layers and no head with weights: nothing to train.
    """

    method: MethodConfig
    invertible: InvertibleConfig | None = None
    head: HeadConfig | None = None
    hides_top_block: bool = False
    pieces: PiecesConfig | None = None
    projection: ProjectionConfig | None = None

    def __post_init__(self) -> None:
        trains_head = self.head is not None and self.head.has_weights
        if not self.method.sites and not trains_head and not isinstance(self.method, GlossaryConfig):
            raise ConfigError(
                f"method {self.method_name!r} trains a head and nothing else, so it needs a task whose head has "
                "weights (classification, tagging, qa or choice)."
            )

    @property
    def n_pieces(self) -> int:
        """How many pieces of text it brings."""
        return 0 if self.pieces is None else len(self.pieces)

    @property
    def reading(self) -> Reading:
        """What a text under it is read by, besides the backbone's own pieces."""
        glossary = self.method if isinstance(self.method, GlossaryConfig) and self.method.words else None
        return Reading(self.pieces, glossary)

    @property
    def method_name(self) -> str:
        """The method's name in METHODS, such as `lora`."""
        return method_of(self.method).name
