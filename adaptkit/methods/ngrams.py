"""N-grams of letters: what is asked for, what an adapter is, and its row."""

from dataclasses import dataclass
from typing import ClassVar

from adaptkit.config import MAX_NGRAM, MAX_NGRAM_ROWS, MAX_RANK, SiteName, SiteShape
from adaptkit.later import later
from adaptkit.methods.checks import require, require_width
from adaptkit.methods.method import Method, MethodOptions, Surroundings, TensorShapes
from adaptkit.options import option


@dataclass(frozen=True, kw_only=True)
class NgramsConfig:
    """A vector for each n-gram of `shortest` to `longest` letters in a word; their sum moves all hidden states alike.

    N-grams are hashed to one of `n_rows` rows (Weinberger et al. 2009, arXiv:0902.2206; of words' parts, Bojanowski
    et al. 2017, arXiv:1607.04606), which are `rank` wide, and one matrix makes them as wide as the hidden states.

    Raises:
        ConfigError: Sizes that cannot be right.
    """

    shortest: int = 3
    longest: int = 5
    n_rows: int = 16_384
    rank: int = 192
    sites: ClassVar[tuple[SiteName, ...]] = ("network.output",)
    blocks: ClassVar[None] = None
    fuses: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        rising = 1 <= self.shortest <= self.longest <= MAX_NGRAM
        found = f"found {self.shortest} and {self.longest}"
        require(rising, f"n-grams have from shortest to longest letters, between 1 and {MAX_NGRAM}; {found}.")
        require(1 <= self.n_rows <= MAX_NGRAM_ROWS, f"n_rows: between 1 and {MAX_NGRAM_ROWS:,}, found {self.n_rows:,}.")
        require_width(self.rank, "rank")

    def tensors(self, place: SiteShape) -> TensorShapes:
        """The rows, the matrix behind them, and what is added to every text."""
        return {
            "rows": (self.n_rows, self.rank),
            "up.weight": (place.out_width, self.rank),
            "up.bias": (place.out_width,),
        }


@dataclass(frozen=True, kw_only=True)
class Ngrams(MethodOptions):
    """Vectors of n-grams of letters, behind the last block of an encoder.

    Raises:
        ConfigError: Options that cannot be right.
    """

    shortest_ngram: int = option(3, "letters of the shortest n-grams", least=1, most=MAX_NGRAM)
    longest_ngram: int = option(5, "letters of the longest n-grams", least=1, most=MAX_NGRAM)
    ngram_rows: int = option(16_384, "rows that n-grams are hashed to", least=1, most=MAX_NGRAM_ROWS)
    ngram_width: int = option(192, "width of a row of n-grams", least=1, most=MAX_RANK)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.config(Surroundings())

    def config(self, there: Surroundings) -> NgramsConfig:  # noqa: ARG002 - wherever it is
        """The adapter that is meant."""
        return NgramsConfig(
            shortest=self.shortest_ngram, longest=self.longest_ngram, n_rows=self.ngram_rows, rank=self.ngram_width
        )


NGRAMS = Method(
    name="ngrams",
    config=NgramsConfig,
    options=Ngrams,
    layer=later("adaptkit.layers.ngrams", "ngrams_layer"),
    paper="n-grams of letters, hashed: after Bojanowski et al. 2017, arXiv:1607.04606",
    learning_rate=5e-3,
    closed_form="ridge",
)
