"""Where words begin among a tokenizer's pieces."""

from collections.abc import Sequence


def word_starts(pieces: Sequence[str]) -> list[bool]:
    """Which pieces begin a word, by the marks of SentencePiece, byte-level BPE and WordPiece."""
    if any(piece.startswith("##") for piece in pieces):
        return [not piece.startswith("##") for piece in pieces]
    return [piece.startswith(("\u2581", "\u0120")) for piece in pieces]
