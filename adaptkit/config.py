"""What an adapter is made of, as small frozen values. A builder unpacks them; no module keeps one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias, get_args

from adaptkit.errors import ConfigError
from adaptkit.terminal.plain_text import is_one_line

SiteName: TypeAlias = Literal[
    "attention.query",
    "attention.key",
    "attention.value",
    "attention.output",
    "attention.residual",
    "ffn.gate",
    "ffn.input",
    "ffn.output",
    "block.output",
    "embeddings",
]
Kind: TypeAlias = Literal["language", "domain", "task"]
TaskType: TypeAlias = Literal["classification", "tagging", "qa", "choice", "similarity"]
Activation: TypeAlias = Literal["relu", "gelu", "silu"]
Precision: TypeAlias = Literal["auto", "fp32", "bf16"]
Scaling: TypeAlias = Literal["standard", "rank_stabilized"]

SITES: tuple[SiteName, ...] = get_args(SiteName)
KINDS: tuple[Kind, ...] = get_args(Kind)
LINEAR_SITES: tuple[SiteName, ...] = (
    "attention.query",
    "attention.key",
    "attention.value",
    "attention.output",
    "ffn.gate",
    "ffn.input",
    "ffn.output",
)
ENCODER_LINEAR_SITES: tuple[SiteName, ...] = tuple(site for site in LINEAR_SITES if site != "ffn.gate")
SITES_OF_ONE_INPUT: tuple[tuple[SiteName, ...], ...] = (
    ("attention.query", "attention.key", "attention.value"),
    ("ffn.gate", "ffn.input"),
)
RESIDUAL_SITES: tuple[SiteName, ...] = ("attention.residual", "block.output")

MAX_RANK = 4096
"""Largest LoRA rank and bottleneck width that is built or read."""
MAX_ALPHA = 1e6
"""Largest LoRA alpha that is built or read."""
MAX_BLOCKS = 512
"""Most blocks of a backbone that is loaded, or that an adapter names."""
MAX_WIDTH = 65_536
"""Largest width of its layers."""
MAX_VOCABULARY = 4_194_304
"""Most rows of its embeddings."""
MAX_LABELS = 1024
"""Most labels of a head that is built or read."""
MAX_ANSWER_TOKENS = 4096
"""Most tokens of an answer that a head is built or read for."""
DEFAULT_ANSWER_TOKENS = 30
"""Tokens of the longest answer where training had none longer."""


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ConfigError(message)


def _require_sites(sites: Sequence[SiteName], allowed: Sequence[SiteName], method: str) -> None:
    wrong = [site for site in sites if site not in allowed]
    _require(not wrong, f"{method} cannot act at {', '.join(wrong)}; it acts at {', '.join(allowed)}.")
    _require(bool(sites), f"{method} needs at least one site; choose from {', '.join(allowed)}.")
    _require(len(set(sites)) == len(sites), f"{method} names a site twice: {', '.join(sites)}.")


def _require_blocks(blocks: tuple[int, ...] | None) -> None:
    if blocks is not None:
        _require(len(blocks) > 0, "blocks=() leaves no block for the adapter; give block numbers, or None for all.")
        _require(blocks == tuple(sorted(set(blocks))), f"blocks must ascend without repeats, found {blocks}.")
        _require(blocks[0] >= 0, f"block numbers count from 0, found {blocks[0]}.")


@dataclass(frozen=True, kw_only=True)
class LoraConfig:
    """Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685): `scaling * B(A(dropout(x)))` added at each site.

    `scaling` is `alpha / rank`, or `alpha / sqrt(rank)` when `rank_stabilized` (Kalajdzievski 2023, arXiv:2312.03732).
    `blocks` limits the adapter to some transformer blocks, counted from 0; None means all.

    Raises:
        ConfigError: A rank, alpha, dropout, site or block that cannot be right.
    """

    rank: int = 16
    alpha: float = 16.0
    scaling: Scaling = "standard"
    dropout: float = 0.0
    sites: tuple[SiteName, ...] = ENCODER_LINEAR_SITES
    blocks: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        _require(1 <= self.rank <= MAX_RANK, f"rank must lie between 1 and {MAX_RANK}, found {self.rank}.")
        _require(
            math.isfinite(self.alpha) and 0 < self.alpha <= MAX_ALPHA,
            f"alpha lies above 0 and up to {MAX_ALPHA:,.0f}, found {self.alpha}.",
        )
        _require(self.scaling in get_args(Scaling), f"scaling is one of {get_args(Scaling)}, found {self.scaling!r}.")
        _require(0 <= self.dropout < 1, f"dropout must lie in [0, 1), found {self.dropout}.")
        _require_sites(self.sites, LINEAR_SITES, "lora")
        _require_blocks(self.blocks)

    @property
    def scale(self) -> float:
        """The number that multiplies `B(A(x))`."""
        return self.alpha / (math.sqrt(self.rank) if self.scaling == "rank_stabilized" else self.rank)


@dataclass(frozen=True, kw_only=True)
class BottleneckConfig:
    """Bottleneck adapter (Houlsby et al. 2019; Pfeiffer et al. 2020): `y + up(act(down(y)))` on a sublayer's output.

    The bottleneck width is `hidden_width // reduction_factor`. Site `attention.residual` is the hidden state after
    attention, `block.output` the one after the feed-forward. `blocks` names the blocks kept; leave numbers out to
    leave layers out.

    Raises:
        ConfigError: A factor, activation, site or block that cannot be right.
    """

    reduction_factor: int = 16
    activation: Activation = "relu"
    sites: tuple[SiteName, ...] = ("block.output",)
    blocks: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        _require(
            1 <= self.reduction_factor <= MAX_RANK,
            f"reduction_factor must lie between 1 and {MAX_RANK}, found {self.reduction_factor}.",
        )
        _require(
            self.activation in get_args(Activation),
            f"activation is one of {', '.join(get_args(Activation))}, found {self.activation!r}.",
        )
        _require_sites(self.sites, RESIDUAL_SITES, "bottleneck")
        _require_blocks(self.blocks)

    def width(self, hidden_width: int) -> int:
        """The bottleneck width for a backbone of this hidden width."""
        return max(1, hidden_width // self.reduction_factor)


@dataclass(frozen=True, kw_only=True)
class BottleneckMadxConfig:
    """Bottleneck of MAD-X as AdapterHub places it (Pfeiffer et al. 2020, arXiv:2005.00052).

    It computes `norm(s + up(act(down(y))))`, where `s` is the residual sum that the backbone's layer norm reads at the
    site, and `y = norm(s)`. The bottleneck has this `width`. Adapters of this method are imported, not trained.

    Raises:
        ConfigError: A width, activation, site or block that cannot be right.
    """

    width: int
    activation: Activation = "relu"
    sites: tuple[SiteName, ...] = ("block.output",)
    blocks: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        _require(1 <= self.width <= MAX_RANK, f"width must lie between 1 and {MAX_RANK}, found {self.width}.")
        _require(
            self.activation in get_args(Activation),
            f"activation is one of {', '.join(get_args(Activation))}, found {self.activation!r}.",
        )
        _require_sites(self.sites, RESIDUAL_SITES, "bottleneck_madx")
        _require_blocks(self.blocks)


@dataclass(frozen=True, kw_only=True)
class InvertibleConfig:
    """Invertible layer at the embeddings (NICE, Dinh et al. 2014; in MAD-X, Pfeiffer et al. 2020, arXiv:2005.00052).

    Raises:
        ConfigError: A factor or activation that cannot be right.
    """

    reduction_factor: int = 2
    activation: Activation = "relu"

    def __post_init__(self) -> None:
        _require(
            1 <= self.reduction_factor <= MAX_RANK,
            f"reduction_factor must lie between 1 and {MAX_RANK}, found {self.reduction_factor}.",
        )
        _require(
            self.activation in get_args(Activation),
            f"activation is one of {', '.join(get_args(Activation))}, found {self.activation!r}.",
        )

    def width(self, hidden_width: int) -> int:
        """The inner width of each coupling network."""
        return max(1, hidden_width // 2 // self.reduction_factor)


@dataclass(frozen=True, kw_only=True)
class FusionConfig:
    """Learned attention over the contributions of other adapters (after AdapterFusion, Pfeiffer et al. 2021).

    At every site, queries come from the site's output and keys from the adapters' contributions, both of `width`;
    the contributions themselves are mixed. `fuses` are the adapters' ids, in order.

    Raises:
        ConfigError: Fewer than two adapters, one of them twice, or a width or site that cannot be right.
    """

    fuses: tuple[str, ...]
    width: int = 16
    sites: tuple[SiteName, ...] = ENCODER_LINEAR_SITES
    blocks: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        _require(len(self.fuses) >= 2, "fusion needs at least two adapters to choose among.")
        _require(len(set(self.fuses)) == len(self.fuses), f"fusion names an adapter twice: {', '.join(self.fuses)}.")
        _require(1 <= self.width <= MAX_RANK, f"width must lie between 1 and {MAX_RANK}, found {self.width}.")
        _require_sites(self.sites, (*LINEAR_SITES, *RESIDUAL_SITES), "fusion")
        _require_blocks(self.blocks)


@dataclass(frozen=True, kw_only=True)
class HeadOnlyConfig:
    """No layers at any site: of a task adapter, only the head is trained.

    Its hidden states are those of the backbone and of what lies below, so that a language adapter that brings a
    language's vectors to where English ones are brings them to where the head expects them.
    """

    sites: ClassVar[tuple[SiteName, ...]] = ()
    blocks: ClassVar[None] = None


@dataclass(frozen=True, kw_only=True)
class HeadConfig:
    """The output layer of a task adapter.

    `classification` reads the mean over real tokens, `tagging` each word's first token, `qa` every token (start and
    end of the answer), `choice` gives one score to each choice, `similarity` compares two sentence vectors and has no
    weights. `labels` are the labels or tags in the order of the outputs. A `qa` head with `allows_no_answer` was
    trained on questions without an answer too, and may give none; its answers have up to `max_answer_tokens` tokens. A
    `classification` head with `pairs` was trained on pairs of texts, and reads nothing else.

    Raises:
        ConfigError: Labels that the type does not have, or lacks, or that repeat; a dropout that cannot be right.
    """

    task_type: TaskType
    labels: tuple[str, ...] = ()
    dropout: float = 0.1
    allows_no_answer: bool = False
    pairs: bool = False
    # In files from format version 5 on (`adaptkit.format.typed_json.since`).
    max_answer_tokens: int = field(default=DEFAULT_ANSWER_TOKENS, metadata={"since": 5})

    def __post_init__(self) -> None:
        _require(
            self.task_type in get_args(TaskType),
            f"task type is one of {', '.join(get_args(TaskType))}, found {self.task_type!r}.",
        )
        if self.task_type in ("classification", "tagging"):
            _require(
                2 <= len(self.labels) <= MAX_LABELS,
                f"{self.task_type} needs 2 to {MAX_LABELS:,} labels, found {len(self.labels)}.",
            )
        else:
            _require(not self.labels, f"{self.task_type} has no labels, found {', '.join(self.labels)}.")
        _require(len(set(self.labels)) == len(self.labels), f"a label is named twice: {', '.join(self.labels)}.")
        for label in self.labels:
            _require(is_one_line(label), f"the label {label!r} holds a control character or an end of a line.")
        _require(0 <= self.dropout < 1, f"dropout must lie in [0, 1), found {self.dropout}.")
        _require(
            1 <= self.max_answer_tokens <= MAX_ANSWER_TOKENS,
            f"max_answer_tokens must lie between 1 and {MAX_ANSWER_TOKENS:,}, found {self.max_answer_tokens}.",
        )
        _require(
            self.task_type == "qa" or self.max_answer_tokens == DEFAULT_ANSWER_TOKENS,
            f"max_answer_tokens is for qa, and this is a head of {self.task_type}; leave it out.",
        )


MethodConfig: TypeAlias = LoraConfig | BottleneckConfig | BottleneckMadxConfig | FusionConfig | HeadOnlyConfig
_METHOD_NAMES: dict[type, str] = {
    LoraConfig: "lora",
    BottleneckConfig: "bottleneck",
    BottleneckMadxConfig: "bottleneck_madx",
    FusionConfig: "fusion",
    HeadOnlyConfig: "head",
}


@dataclass(frozen=True, kw_only=True)
class AdapterConfig:
    """A method; for a language adapter optionally the invertible layer below it; for a task adapter its head.

    With `hides_top_block`, adapters below it do not act in the last block (MAD-X 2.0, Pfeiffer et al. 2021,
    arXiv:2012.15562).

    Raises:
        ConfigError: No layers and no head with weights: nothing to train.
    """

    method: MethodConfig
    invertible: InvertibleConfig | None = None
    head: HeadConfig | None = None
    hides_top_block: bool = False

    def __post_init__(self) -> None:
        trains_head = self.head is not None and self.head.task_type != "similarity"
        _require(
            trains_head or not isinstance(self.method, HeadOnlyConfig),
            "method 'head' trains a head and nothing else, so it needs a task whose head has weights "
            "(classification, tagging, qa or choice).",
        )

    @property
    def method_name(self) -> str:
        """`lora`, `bottleneck`, `bottleneck_madx`, `fusion` or `head`."""
        return _METHOD_NAMES[type(self.method)]
