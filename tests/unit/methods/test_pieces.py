"""Pieces that an adapter brings: what may be one."""

from dataclasses import replace
from typing import Any

import pytest

from adaptkit.config import MAX_PIECES
from adaptkit.errors import ConfigError
from adaptkit.methods import PiecesConfig, is_piece
from tests.pieces import PIECES

WRONG: dict[str, dict[str, Any]] = {
    "pieces, found 0": {"pieces": (), "scores": ()},
    "pieces, found 32,769": {"pieces": tuple(map(str, range(MAX_PIECES + 1))), "scores": (-1.0,) * (MAX_PIECES + 1)},
    "at most 1,048,576 bytes": {
        "pieces": tuple(f"{number:05}{'ⴰ' * 50}" for number in range(8000)),
        "scores": (-1.0,) * 8000,
    },
    "there twice": {"pieces": ("ⴰ", "ⴰ"), "scores": (-1.0, -2.0)},
    "2 pieces and 1 scores": {"pieces": ("ⴰ", "ⵎ"), "scores": (-1.0,)},
    "piece 1 is ''": {"pieces": ("ⴰ", ""), "scores": (-1.0, -2.0)},
    "piece 0 is 'ⴰⴰ": {"pieces": ("ⴰ" * 65,), "scores": (-1.0,)},
    "between -1000 and 0": {"pieces": ("ⴰ",), "scores": (0.5,)},
    "found .-2000": {"pieces": ("ⴰ",), "scores": (-2000.0,)},
    "found .nan": {"pieces": ("ⴰ",), "scores": (float("nan"),)},
}


@pytest.mark.parametrize("message", WRONG)
def test_pieces_that_cannot_be(message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PiecesConfig(**WRONG[message])


@pytest.mark.parametrize("text", ["ⴰ", "▁ⴰⵣ", "क्\u200dष", "\U00010330", "1."])
def test_what_is_a_piece(text: str) -> None:
    assert is_piece(text)


@pytest.mark.parametrize("text", ["", "a b", "a\n", "\x1b[2J", "\u202eab", "\u2028", "\ud800", "\u00a0"])
def test_what_is_none(text: str) -> None:
    assert not is_piece(text)


def test_its_identity_is_of_pieces_and_scores() -> None:
    assert PIECES.sha256 == replace(PIECES).sha256
    assert PIECES.sha256 != replace(PIECES, scores=(-2.25, *PIECES.scores[1:])).sha256
    assert PIECES.sha256 != replace(PIECES, pieces=(*PIECES.pieces[1:], PIECES.pieces[0])).sha256
    assert hash(PIECES) == hash(replace(PIECES))
    assert repr(PIECES).startswith("<16 pieces, ")
