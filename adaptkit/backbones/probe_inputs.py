"""Inputs whose outputs tell whether a backbone and an adapter are what they were."""

_LENGTHS = (9, 17, 30)
_PIECES = 24


def probe_bodies(vocabulary_size: int, n_ids: int) -> list[list[int]]:
    """Fixed pseudo-random token ids for a vocabulary: arithmetic, not text, so that they tell nothing of a corpus.

    The table has `vocabulary_size` rows, and the tokenizer gives the first `n_ids` of them: what fills up the others is
    no part of a backbone.
    """
    first_piece = min(1000, vocabulary_size // 2)
    span = vocabulary_size - first_piece
    drawn = [
        [first_piece + (7919 * (number + 1) * (i + 1) + 104_729 * i * i) % span for i in range(length)]
        for number, length in enumerate(_LENGTHS)
    ]
    return [[i if i < n_ids else i % n_ids for i in body] for body in drawn]


def spread_pieces(n_pieces: int) -> list[int]:
    """Places of some pieces among so many, from the first to the last."""
    count = min(_PIECES, n_pieces)
    return [place * (n_pieces - 1) // max(1, count - 1) for place in range(count)]
