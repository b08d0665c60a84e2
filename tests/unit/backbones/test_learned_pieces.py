"""Pieces that SentencePiece learns from a text."""

import sys

import pytest

from adaptkit.backbones.learned_pieces import learned_pieces
from adaptkit.errors import ConfigError
from adaptkit.methods import Reading
from tests.pieces import SYLLABLES, invented_sentences
from tests.tiny import tiny_tokenizer, unigram_model, unigram_tokenizer

TEXT = [f"{sentence} farmer" for sentence in invented_sentences(80)]
LETTERS = {letter for line in invented_sentences(80) for letter in line if letter != " "}


def test_they_are_of_the_unknown_letters_and_read_all_of_the_text() -> None:
    tokenizer = unigram_tokenizer()
    pieces = learned_pieces(TEXT, tokenizer, n_pieces=60, name="tiny")
    assert len(LETTERS) < len(pieces) <= 60
    assert set(pieces.pieces) >= LETTERS - {letter for letter in LETTERS if letter in tokenizer.get_vocab()}
    assert all(LETTERS.intersection(piece) for piece in pieces.pieces)
    assert not set(pieces.pieces) & set(tokenizer.get_vocab())
    read = unigram_model().backbone.reader(Reading(pieces)).tokenize(TEXT)
    assert not any(tokenizer.unk_token_id in row for row in read)


@pytest.mark.parametrize("end", ["", " farmer", " 12", " ⵎⴰ"])
def test_syllables_are_pieces_however_lines_end(end: str) -> None:
    text = [f"{sentence}{end}" for sentence in invented_sentences(80)]
    pieces = learned_pieces(text, unigram_tokenizer(), n_pieces=60, name="tiny").pieces
    assert sum(syllable in pieces for syllable in SYLLABLES) >= 6


def test_the_same_text_gives_the_same_pieces() -> None:
    one, other = (learned_pieces(TEXT, unigram_tokenizer(), n_pieces=60, name="tiny") for _ in range(2))
    assert one == other


def test_a_tokenizer_that_takes_none() -> None:
    with pytest.raises(ConfigError, match="the tokenizer of tiny is of the kind BPE"):
        learned_pieces(TEXT, tiny_tokenizer(), n_pieces=60, name="tiny")


def test_a_text_that_is_known() -> None:
    with pytest.raises(ConfigError, match=r"knows every letter of this text.* leave new_pieces=\.\.\. out"):
        learned_pieces(["the goat sleeps"], unigram_tokenizer(), n_pieces=60, name="tiny")


def test_fewer_pieces_than_letters() -> None:
    with pytest.raises(ConfigError, match=r"new_pieces=8 is too little: .* have 11 letters,.* at least 12"):
        learned_pieces(invented_sentences(80), unigram_tokenizer(), n_pieces=8, name="tiny")


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(ConfigError, match=r"needs the package sentencepiece.*pip install 'adaptkit-nlp\[pieces\]'"):
        learned_pieces(TEXT, unigram_tokenizer(), n_pieces=60, name="tiny")
