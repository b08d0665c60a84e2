"""A backbone beside others: what was found out about it, and what speaks against it."""

from collections.abc import Mapping
from dataclasses import dataclass

from adaptkit.holding import Bits

LEAST_LETTERS = 0.5
"""Of so many letters, fewer with a piece of their own are a script that the tokenizer does not know."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How its tokenizer reads a text. Shares are between 0 and 1.

    Attributes:
        unknown_share: tokens that are the unknown token.
        unknown_line_share: lines with at least one of them.
        tokens_per_word: a word is what stands between spaces.
        letter_share: letters of the text that have a piece of their own; others are unknown, or spelled in bytes.
        pieces_used: different pieces that the text needs, with the letters of the language's scripts.
        pieces: all that it has.
        refusal: why nothing useful can be trained on such text; None where it can.
    """

    unknown_share: float
    unknown_line_share: float
    tokens_per_word: float
    letter_share: float
    pieces_used: int
    pieces: int
    refusal: str | None

    @property
    def reads(self) -> bool:
        """Whether something useful can be trained: most letters are known, and not spelled in bytes."""
        return self.refusal is None and self.letter_share >= LEAST_LETTERS


@dataclass(frozen=True, kw_only=True)
class Size:
    """Parameters, and bytes that the process needs to answer with it, at each number of bits."""

    parameters: int
    memory: Mapping[Bits, int]


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Sentences and tokens a second when texts are encoded here, at so many bits, and what they were encoded on."""

    sentences_per_s: float
    tokens_per_s: float
    bits: Bits
    hardware: str


@dataclass(frozen=True, kw_only=True)
class ProbeScore:
    """What a linear head on its frozen vectors scores on the caller's lines, of 100, with the interval of 95 %."""

    metric: str
    score: float
    low: float
    high: float
    n_examples: int
    majority: float


@dataclass(frozen=True, kw_only=True)
class Published:
    """A score that a publication states for it: on which data, in which language, and where it stands."""

    dataset: str
    metric: str
    language: str
    score: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Existing:
    """An adapter for the language that a zoo has already, and what it gains in the first test on its card.

    Attributes:
        gain: points with their interval; None, as `test`, where no test is on the card.
    """

    id: str
    path: str
    licence: str
    test: str | None
    gain: str | None


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A backbone and what is known of it; what could not be found out is None.

    Attributes:
        name: as `load_model` takes it.
        hub_id: under which it was published, where that is known for certain.
        family: its model type in transformers.
        kind: encoder, decoder or encoder-decoder.
        makes_sentences: whether it was trained for vectors of sentences, as its folder or prefix tells.
        problem: why it cannot be read, or cannot do the task; None where it can.
        coverage: how it reads the text in the language.
        size: parameters and memory.
        bits: the most exact form that fits the memory; None where none does, or no memory was named.
        licence: as its model card states it; None where it states none.
        not_measured: why its weights were not loaded; None where they were, or nothing was to be measured.
        speed: measured here.
        published: scores for this task and language.
        probe: the score on the caller's own lines.
        existing: adapters for the language that are in the zoos, for a backbone of its name.
        reasons: all of that in sentences.
    """

    name: str
    hub_id: str | None = None
    family: str | None = None
    kind: str | None = None
    makes_sentences: bool = False
    problem: str | None = None
    coverage: Coverage | None = None
    size: Size | None = None
    bits: Bits | None = None
    licence: str | None = None
    not_measured: str | None = None
    speed: Speed | None = None
    published: tuple[Published, ...] = ()
    probe: ProbeScore | None = None
    existing: tuple[Existing, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether nothing speaks against taking it."""
        return self.problem is None and (self.coverage is None or self.coverage.reads)
