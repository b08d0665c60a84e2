"""Margins of vectors over those of their neighbours, and the pairs that they give."""

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from adaptkit.data.margin import best_pairs
from adaptkit.data.neighbours import Vectors


def unit(n: int, *, seed: int, width: int = 8) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(n, width)) + 1.0
    made: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return made


def plain_margins(texts: Vectors, translations: Vectors, k: int) -> NDArray[np.float64]:
    """The formula of the paper, one pair after the other."""
    cosines = texts.astype(np.float64) @ translations.T.astype(np.float64)
    margins = np.zeros_like(cosines)
    for row in range(len(texts)):
        for column in range(len(translations)):
            beside = np.sort(cosines[row])[-k:].sum() / (2 * k) + np.sort(cosines[:, column])[-k:].sum() / (2 * k)
            margins[row, column] = cosines[row, column] / beside
    return margins


@pytest.mark.parametrize(("n", "m", "k"), [(30, 40, 4), (40, 30, 1), (3, 50, 4), (1, 1, 4)])
def test_margins_are_the_plain_formula_and_the_best_of_each_row_is_a_candidate(n: int, m: int, k: int) -> None:
    texts, translations = unit(n, seed=1), unit(m, seed=2)
    expected = plain_margins(texts, translations, min(k, n, m))
    found = best_pairs(texts, translations, k=k)
    for one in found:
        assert one.margin == pytest.approx(expected[one.text, one.translation], rel=1e-4)
    margins = [one.margin for one in found]
    assert margins == sorted(margins, reverse=True)
    assert margins[0] == pytest.approx(expected.max(), rel=1e-4)
    assert len({one.text for one in found}) == len({one.translation for one in found}) == len(found)
    # Where a row is in no pair, its best neighbour is in a better one.
    cosines, taken = texts @ translations.T, {one.translation: one.margin for one in found}
    for row in set(range(n)) - {one.text for one in found}:
        neighbours = np.argsort(-cosines[row])[:k]
        best = int(neighbours[expected[row, neighbours].argmax()])
        assert taken[best] >= expected[row, best] - 1e-4


def test_blocks_change_nothing() -> None:
    texts, translations = unit(50, seed=3), unit(70, seed=4)
    found, expected = best_pairs(texts, translations, block_bytes=1), best_pairs(texts, translations)
    assert [one[:2] for one in found] == [one[:2] for one in expected]
    assert [one.margin for one in found] == pytest.approx([one.margin for one in expected], rel=1e-5)


def test_memory_is_bounded() -> None:
    texts, translations, bound = unit(1500, seed=1), unit(1500, seed=2), 2**21
    tracemalloc.start()
    try:
        best_pairs(texts, translations, block_bytes=bound)
        (_, peak) = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Beside the blocks, some hundred bytes a row for neighbours and candidates; all similarities would take 27 MB.
    assert peak < 1.5 * bound + 2_000_000


def test_a_vector_of_length_0_has_no_translation() -> None:
    texts, translations = unit(4, seed=8), unit(4, seed=9)
    texts[1] = translations[2] = 0
    found = {(one.text, one.translation): one.margin for one in best_pairs(texts, translations)}
    assert all(margin == 0 for rows, margin in found.items() if rows[0] == 1 or rows[1] == 2)
    assert max(found.values()) > 0
    assert all(one.margin == 0 for one in best_pairs(0 * texts, 0 * translations))


def test_planted_translations_are_found_among_others() -> None:
    texts, others = unit(60, seed=5, width=32), unit(60, seed=6, width=32)
    near = texts[:20] + 0.05 * unit(20, seed=7, width=32)
    translations = np.concatenate([others, near / np.linalg.norm(near, axis=1, keepdims=True)])
    found = best_pairs(texts, translations)
    assert sorted((one.text, one.translation - 60) for one in found[:20]) == [(row, row) for row in range(20)]
    assert found[19].margin > found[20].margin
