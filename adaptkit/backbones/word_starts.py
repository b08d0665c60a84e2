"""Where words begin among a tokenizer's pieces."""

from collections.abc import Sequence

BEGINNINGS = ("\u2581", "\u0120")
"""What SentencePiece and byte-level BPE write in front of a word."""

_CONTINUES = "##"


def continuation_mark(pieces: Sequence[str]) -> str:
    """What the tokenizer writes in front of a piece that continues a word: WordPiece "##", others nothing.

    A vocabulary of SentencePiece may hold `##` too, as text: XLM-R's has a piece `###`. What most pieces have counts.
    """
    n_continuing = sum(piece.startswith(_CONTINUES) for piece in pieces)
    return _CONTINUES if n_continuing > sum(piece.startswith(BEGINNINGS) for piece in pieces) else ""


def word_starts(pieces: Sequence[str]) -> list[bool]:
    """Which pieces begin a word, by the marks of SentencePiece, byte-level BPE and WordPiece."""
    if mark := continuation_mark(pieces):
        return [not piece.startswith(mark) for piece in pieces]
    return [piece.startswith(BEGINNINGS) for piece in pieces]
