"""What is known of any adapter and backbone: sites, kinds, limits."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

SiteName: TypeAlias = Literal[
    "attention.query",
    "attention.key",
    "attention.value",
    "attention.qkv",
    "attention.output",
    "attention.residual",
    "cross_attention.query",
    "cross_attention.key",
    "cross_attention.value",
    "cross_attention.output",
    "ffn.gate",
    "ffn.input",
    "ffn.gate_input",
    "ffn.activation",
    "ffn.output",
    "block.output",
    "embeddings",
    "embeddings.words",
    "network.output",
]
Kind: TypeAlias = Literal["language", "domain", "task"]
Activation: TypeAlias = Literal["relu", "gelu", "silu"]
Precision: TypeAlias = Literal["auto", "fp32", "bf16"]
Scaling: TypeAlias = Literal["standard", "rank_stabilized"]

SITES: tuple[SiteName, ...] = get_args(SiteName)
KINDS: tuple[Kind, ...] = get_args(Kind)
LINEAR_SITES: tuple[SiteName, ...] = (
    "attention.query",
    "attention.key",
    "attention.value",
    "attention.qkv",
    "attention.output",
    "cross_attention.query",
    "cross_attention.key",
    "cross_attention.value",
    "cross_attention.output",
    "ffn.gate",
    "ffn.input",
    "ffn.gate_input",
    "ffn.output",
)
FUSED_SITES: tuple[SiteName, ...] = ("attention.qkv", "ffn.gate_input")
"""One linear layer that gives what others give by two or three: queries, keys and values; gate and input."""
ENCODER_LINEAR_SITES: tuple[SiteName, ...] = tuple(
    site
    for site in LINEAR_SITES
    if site != "ffn.gate" and site not in FUSED_SITES and not site.startswith("cross_attention.")
)
SITES_OF_ONE_INPUT: tuple[tuple[SiteName, ...], ...] = (
    ("attention.query", "attention.key", "attention.value"),
    ("cross_attention.key", "cross_attention.value"),
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
MAX_PIECES = 32_768
"""Most pieces of text that an adapter brings with it."""
MAX_PIECE_LENGTH = 64
"""Most characters of one of them."""
MAX_PIECES_BYTES = 2**20
"""Most bytes of all together, in UTF-8."""
MAX_GLOSSARY = 65_536
"""Most words with translations that an adapter brings with it."""
MAX_GLOSS_LENGTH = 128
"""Most characters of one of them, and of its translation."""
MAX_GLOSS_WORDS = 8
"""Most words of one that is looked up: as many are looked at wherever its first one is read."""
MAX_GLOSSARY_BYTES = 2 * 2**20
"""Most bytes of all together, in UTF-8."""
MAX_NGRAM = 8
"""Most letters of an n-gram that has a row."""
MAX_NGRAM_ROWS = 2**20
"""Most rows of n-grams."""
MAX_LABELS = 1024
"""Most labels of a head that is built or read."""
MAX_ANSWER_TOKENS = 4096
"""Most tokens of an answer that a head is built or read for."""
MAX_PREFIX_LENGTH = 256
"""Most characters that a head has put before each text."""
DEFAULT_ANSWER_TOKENS = 30
"""Tokens of the longest answer where training had none longer."""


@dataclass(frozen=True)
class SiteShape:
    """What an adapter layer must know of its place: the module it follows and that module's widths.

    `after_sum` says that the module is a layer norm which reads a sublayer's output added to the sublayer's input, and
    `in_last_block` that it lies in the last block, or in that of either side of an encoder-decoder.
    """

    module: str
    in_width: int
    out_width: int
    after_sum: bool = False
    in_last_block: bool = False


LEAST_CONFIDENCE = 0.6
LEAST_COSINE = 0.3
SHARE_WITHOUT = 0.2
"""Of projected entities, unless something else is asked for: `adaptkit.project_entities` says what each is."""
LEAST_WORD_SCORE = 0.05
"""Of words that stand for others, unless something else is asked for: `adaptkit.translate_words` says what it is."""
LEAST_LINK_SCORE = 0.3
MOST_TAGGED_SENTENCES = 2_000
"""Of projected parts of speech, unless something else is asked for: `adaptkit.project_tags` says what each is."""
STRENGTHS = (0.25, 0.5, 0.75)
"""How strongly an adapter may act, measured beside not at all and fully."""
