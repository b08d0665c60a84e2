"""How a backbone is held in memory: on which device, in how many bits, its word embeddings in which form."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from adaptkit.errors import ConfigError
from adaptkit.later import later
from adaptkit.table import Table

AUTO: Final = "auto"
DEVICES = "auto (CUDA where there is a GPU, else Apple's, else the CPU), cpu, cuda, cuda:N or mps"
Bits: TypeAlias = Literal[32, 16, 8, 4]
BITS: tuple[Bits, ...] = get_args(Bits)
BITS_HELP = f"bits of the backbone's linear layers: {', '.join(map(str, BITS[:-1]))} or {BITS[-1]}"
CACHE_BYTES = 12 * 2**20
"""What rows of a paged table may take in memory, where nothing else is said."""


Graphs: TypeAlias = Literal["auto", "always", "never"]
GRAPHS: tuple[Graphs, ...] = get_args(Graphs)
"""When passes are recorded as CUDA graphs: when a shape comes again, at its first batch, or not at all."""


@dataclass(frozen=True, kw_only=True)
class EmbeddingForm:
    """A form in which the word embeddings are held, most of a multilingual encoder.

    `held` says what lies in memory, and `exact` whether its vectors are those of the checkpoint. `table` gives the
    module, an `adaptkit.backbones.word_embeddings.WordEmbeddings` made of a `TableSource`. `precision` is the name that
    the fingerprint has for rows that are coarser than the rest, if they are. Where nothing is asked for, a form is
    taken at the bits of `default_at`, or of `default_at_with_vocabulary` where a vocabulary says which rows are kept.
    """

    name: str
    held: str
    exact: Literal["yes", "nearly", "no"]
    table: Callable[[], type]
    precision: str | None = None
    default_at: tuple[Bits, ...] = ()
    default_at_with_vocabulary: tuple[Bits, ...] = ()

    @property
    def default(self) -> str:
        """When it is taken, in words; empty where it has to be asked for."""
        plain, trimmed = self.default_at, self.default_at_with_vocabulary
        if plain:
            return f"at {_listed(plain)} bits"
        return f"with a vocabulary, at {_listed(trimmed)} bits" if trimmed else ""


RESIDENT = EmbeddingForm(
    name="resident",
    held="the whole table",
    exact="yes",
    table=later("adaptkit.backbones.tables.resident", "ResidentRows"),
    default_at=(32, 16),
    default_at_with_vocabulary=(32, 16),
)
PAGED = EmbeddingForm(
    name="paged",
    held=f"rows in use, in a cache of `cache_bytes` ({CACHE_BYTES // 2**20} MiB); the rest stays in the file",
    exact="yes",
    table=later("adaptkit.backbones.tables.paged", "PagedRows"),
    default_at=(8, 4),
)
FP16 = EmbeddingForm(
    name="fp16",
    held="the whole table in float16, half of what float32 takes",
    exact="nearly",
    table=later("adaptkit.backbones.tables.fp16", "Fp16Rows"),
)
INT8 = EmbeddingForm(
    name="int8",
    held="the whole table in 8 bits, a scale for each row",
    exact="nearly",
    table=later("adaptkit.backbones.tables.int8", "Int8Rows"),
    precision="int8",
    default_at_with_vocabulary=(8, 4),
)
NF4 = EmbeddingForm(
    name="nf4",
    held="the whole table in 4 bits, a scale for each 64 values",
    exact="no",
    table=later("adaptkit.backbones.tables.nf4", "Nf4Rows"),
    precision="nf4",
)

EMBEDDING_FORMS: Table[EmbeddingForm] = Table("form of embeddings")
for _form in (RESIDENT, PAGED, FP16, INT8, NF4):
    EMBEDDING_FORMS.register(_form)


def embeddings_help() -> str:
    """The sentence that says which forms there are, and what is taken where none is asked for."""
    by_default = ", ".join(f"{form.name} {form.default}" for form in EMBEDDING_FORMS.values() if form.default_at)
    return f"how its word embeddings are held: {', '.join(EMBEDDING_FORMS)} (default: {by_default})"


def embedding_form(bits: int, asked: str | None, *, trimmed: bool = False) -> EmbeddingForm:
    """How the embeddings are held: as asked, or by what the bits promise; `trimmed` where only some rows are kept.

    Raises:
        ConfigError: Bits or a form that there is not.
    """
    if asked is not None:
        require_bits(bits)
        return EMBEDDING_FORMS.require(asked)
    return _default_form(require_bits(bits), trimmed=trimmed)


def require_bits(bits: int) -> Bits:
    """The number, which is one of `BITS`.

    Raises:
        ConfigError: It is not.
    """
    if bits not in BITS:
        raise ConfigError(f"bits is {', '.join(map(str, BITS))}, found {bits!r}.")
    return bits


def _default_form(bits: Bits, *, trimmed: bool) -> EmbeddingForm:
    forms = EMBEDDING_FORMS.values()
    return next(form for form in forms if bits in (form.default_at_with_vocabulary if trimmed else form.default_at))


def _listed(bits: tuple[Bits, ...]) -> str:
    return " and ".join(map(str, bits))
