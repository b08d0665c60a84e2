"""Pieces of text that an adapter brings with it, for a script that the backbone's tokenizer does not know."""

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from adaptkit.config import MAX_PIECE_LENGTH, MAX_PIECES, MAX_PIECES_BYTES, SiteName, SiteShape
from adaptkit.later import later
from adaptkit.methods.checks import require
from adaptkit.methods.method import Method, TensorShapes
from adaptkit.terminal.plain_text import JOINERS

LOWEST_SCORE = -1000.0


@dataclass(frozen=True, kw_only=True, repr=False)
class PiecesConfig:
    """Pieces in the order of their rows, each with the logarithm of how probable it is (Kudo 2018, arXiv:1804.10959).

    A piece that begins a word begins with `\u2581`, as SentencePiece writes it. The row of piece `k` stands for the
    token id that is `k` above the backbone's vocabulary.

    Raises:
        ConfigError: None or too many, a piece twice, without a character or too long, one that holds what is not
            printed, or scores that cannot be right.
    """

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    sites: ClassVar[tuple[SiteName, ...]] = ("embeddings.words",)
    blocks: ClassVar[None] = None
    fuses: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        n = len(self.pieces)
        require(1 <= n <= MAX_PIECES, f"an adapter has between 1 and {MAX_PIECES:,} pieces, found {n:,}.")
        require(len(self.scores) == n, f"there are {n:,} pieces and {len(self.scores):,} scores; each piece has one.")
        require(len(set(self.pieces)) == n, "a piece is there twice.")
        for number, piece in enumerate(self.pieces):
            require(is_piece(piece), f"piece {number} is {piece[:80]!r}, which is none: {_RIGHT}.")
        n_bytes = len("".join(self.pieces).encode())
        require(n_bytes <= MAX_PIECES_BYTES, f"pieces have at most {MAX_PIECES_BYTES:,} bytes, found {n_bytes:,}.")
        wrong = [score for score in self.scores if not LOWEST_SCORE <= score <= 0]
        require(not wrong, f"scores lie between {LOWEST_SCORE:g} and 0, found {wrong[:1]}.")

    def __repr__(self) -> str:
        return f"<{len(self):,} pieces, {self.sha256[:12]}>"

    def __len__(self) -> int:
        return len(self.pieces)

    @cached_property
    def sha256(self) -> str:
        """Identity of pieces and scores."""
        content = json.dumps([self.pieces, self.scores], ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.sha256)

    def tensors(self, place: SiteShape) -> TensorShapes:
        """A row for each piece."""
        return {"rows": (len(self), place.out_width)}


_RIGHT = f"up to {MAX_PIECE_LENGTH} characters, all of them printed, and no space"


def is_piece(text: str) -> bool:
    """Whether a text may be a piece: not empty, not too long, and nothing in it that steers, or ends a word."""
    return 0 < len(text) <= MAX_PIECE_LENGTH and all(sign in JOINERS or _is_printed(sign) for sign in text)


def _is_printed(sign: str) -> bool:
    # Letters of a script that this Python's tables do not have yet are not refused (Cn), nor private ones (Co).
    return unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")


PIECES = Method(
    name="pieces",
    config=PiecesConfig,
    layer=later("adaptkit.layers.piece_rows", "piece_rows"),
    format_version=8,
    paper="pieces of an unknown script: SentencePiece, Kudo and Richardson 2018, arXiv:1808.06226",
)
"""A part of an adapter and no method that one is of, so it is not in METHODS."""
