"""What is known of any adapter and backbone: sites, kinds, limits; and the head of a task adapter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

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


@dataclass(frozen=True)
class SiteShape:
    """What an adapter layer must know of its place: the module it follows and that module's widths.

    `after_sum` says that the module is a layer norm which reads a sublayer's output added to the sublayer's input.
    """

    module: str
    in_width: int
    out_width: int
    after_sum: bool = False


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ConfigError(message)


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

    def tensors(self, hidden_width: int) -> Mapping[str, tuple[int, ...]]:
        """The shapes of its tensors, by their names in the head, in the order in which it has them."""
        if self.task_type == "similarity":
            return {}
        n_outputs = {"choice": 1, "qa": 2}.get(self.task_type, len(self.labels))
        out = {"out.weight": (n_outputs, hidden_width), "out.bias": (n_outputs,)}
        if self.task_type in ("tagging", "qa"):
            return out
        return {"dense.weight": (hidden_width, hidden_width), "dense.bias": (hidden_width,), **out}
