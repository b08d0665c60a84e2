"""Where rows of new pieces start, and the alignment of words behind it."""

import random

import pytest
import torch

from adaptkit.backbones import embedding_rows
from adaptkit.data.lexicon import Lexicon
from adaptkit.data.sentence import Sentence
from adaptkit.methods import PiecesConfig
from adaptkit.training.piece_starts import start_rows
from adaptkit.training.word_alignment import aligned
from tests.pieces import MEANINGS, PIECES, invented_pairs
from tests.tiny import unigram_model

BACKBONE = unigram_model().backbone
SYLLABLES = PiecesConfig(pieces=tuple(MEANINGS), scores=(-1.0,) * len(MEANINGS))


def nearest(rows: torch.Tensor) -> list[int]:
    """Of each row the token whose own row lies in its direction."""
    table = embedding_rows(BACKBONE.network).float()
    found: list[int] = torch.nn.functional.cosine_similarity(rows[:, None], table[None], dim=-1).argmax(dim=1).tolist()
    return found


def test_words_go_together_with_what_they_are_translated_by() -> None:
    draw = random.Random(0)
    theirs = [draw.sample(range(100, 120), 5) for _ in range(200)]
    # 7 stands in every sentence on both sides.
    found = aligned([[7, *(word - 90 for word in row)] for row in theirs], [[7, *row] for row in theirs])
    for word in range(10, 30):
        partners = found[word]
        assert max(partners, key=partners.__getitem__) == word + 90
        assert partners[word + 90] > 0.8
        assert sum(partners.values()) == pytest.approx(1)
    assert max(found[7], key=found[7].__getitem__) == 7


def test_what_stands_once_goes_together_with_nothing() -> None:
    assert aligned([[1], [2]], [[5], [6]]) == {}
    assert aligned([], []) == {}
    assert aligned([[]], [[5]]) == {}


def test_pieces_start_from_what_the_translations_say() -> None:
    rows, n_meant = start_rows(SYLLABLES, BACKBONE, pairs=[Sentence(b, a) for a, b in invented_pairs(200)])
    assert n_meant == len(SYLLABLES)
    assert rows.shape == (8, 32)
    first = {token for word in MEANINGS.values() for token in BACKBONE.tokenize([word])[0][1:-1]}
    assert sum(token in first for token in nearest(rows)) >= 7
    # The rows of farm and of goat are not the same.
    assert torch.pdist(rows).min() > 0.05


def test_a_dictionary_comes_before_translations() -> None:
    lexicon = Lexicon((("ⴰⵣ", "a"), ("ⵎⴰ", "i"), ("ⵏⵓⵔⵉ", "o")), stems="none")
    pairs = [Sentence(b, a) for a, b in invented_pairs(200)]
    rows, n_meant = start_rows(PIECES, BACKBONE, lexicon=lexicon)
    assert n_meant == 2
    words = BACKBONE.tokenizer(["a", "i"], add_special_tokens=False)["input_ids"]
    table = embedding_rows(BACKBONE.network).float()
    for number, ids in enumerate(words):
        assert torch.nn.functional.cosine_similarity(rows[number], table[ids].mean(dim=0), dim=0) > 0.95
    both, n_meant = start_rows(PIECES, BACKBONE, lexicon=lexicon, pairs=pairs)
    assert n_meant > 2
    assert torch.allclose(both[:2], rows[:2])


def test_all_else_starts_from_the_mean_and_no_two_are_alike() -> None:
    rows, n_meant = start_rows(PIECES, BACKBONE)
    assert n_meant == 0
    table = embedding_rows(BACKBONE.network).float()[: BACKBONE.n_ids]
    spread = float(table.std(dim=0).mean())
    away = (rows - table.mean(dim=0)).pow(2).mean(dim=1).sqrt()
    assert 0.05 * spread < float(away.min()) <= float(away.max()) < 0.2 * spread
    assert torch.pdist(rows).min() > 0
    assert torch.equal(start_rows(PIECES, BACKBONE)[0], rows)
    assert not torch.equal(start_rows(PIECES, BACKBONE, seed=1)[0], rows)


def test_what_is_special_is_asked_once_for_all_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, kind = list[int](), type(BACKBONE.tokenizer)
    special = kind.all_special_ids

    def counted(self: object) -> list[int]:
        asked.append(1)
        return list(special.__get__(self))

    monkeypatch.setattr(kind, "all_special_ids", property(counted))
    n_asked = []
    for n in (20, 200):
        asked.clear()
        start_rows(SYLLABLES, BACKBONE, pairs=[Sentence(b, a) for a, b in invented_pairs(n)])
        n_asked.append(len(asked))
    assert n_asked[0] == n_asked[1] > 0
