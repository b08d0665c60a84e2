"""The nearest of many vectors: planted ones are found, in one order, with faiss and without."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from adaptkit.data import neighbours
from adaptkit.data.neighbours import Neighbourhood, Neighbours, Vectors
from adaptkit.errors import ConfigError


def unit(n: int, *, seed: int, width: int = 16) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(n, width))
    made: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return made


def by_sorting(queries: Vectors, vectors: Vectors, k: int) -> list[list[int]]:
    """All cosines, one after the other, in double precision."""
    found = []
    for query in queries.astype(np.float64):
        cosines = [float((query * other).sum()) for other in vectors.astype(np.float64)]
        found.append(sorted(range(len(vectors)), key=lambda row: (-round(cosines[row], 12), row))[:k])
    return found


@pytest.fixture(params=["numpy", "faiss"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "faiss":
        pytest.importorskip("faiss")
        monkeypatch.setattr(neighbours, "FAISS_FROM", 0)
    return str(request.param)


@pytest.mark.parametrize(("n", "m", "k"), [(200, 7, 5), (200, 1, 200), (3, 4, 10), (1, 1, 1)])
@pytest.mark.usefixtures("engine")
def test_the_nearest_stand_in_the_order_of_their_cosines(n: int, m: int, k: int) -> None:
    vectors, queries = unit(n, seed=1), unit(m, seed=2)
    found = Neighbourhood(vectors).nearest(queries, k)
    assert found.rows.tolist() == by_sorting(queries, vectors, k)
    assert found.rows.shape == found.cosines.shape == (m, min(n, k))
    for query, rows, cosines in zip(queries, *found, strict=True):
        assert cosines == pytest.approx(vectors[rows] @ query, abs=1e-6)


@pytest.mark.usefixtures("engine")
def test_of_equal_ones_the_first_stands_first_however_many_there_are() -> None:
    """More of them than there are spare candidates, so that which candidates an engine takes must not matter."""
    vectors = unit(300, seed=3)
    equal = list(range(40, 300, 3))
    vectors[equal] = vectors[0]
    found = Neighbourhood(vectors).nearest(vectors[:1], 5)
    assert found.rows.tolist() == [[0, *equal[:4]]]
    assert found.cosines[0].tolist() == [found.cosines[0, 0]] * 5


@pytest.mark.usefixtures("engine")
def test_blocks_change_nothing() -> None:
    vectors, queries = unit(100, seed=4), unit(30, seed=5)
    expected, found = (Neighbourhood(vectors, block_bytes=size).nearest(queries, 4) for size in (2**28, 1))
    assert_same(found, expected)


def test_faiss_and_numpy_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faiss")
    vectors, queries = unit(6000, seed=6), unit(50, seed=7)
    vectors[5000:5040] = vectors[10:50]
    with_faiss = Neighbourhood(vectors).nearest(queries, 10)
    monkeypatch.setattr(neighbours, "_faiss", lambda: None)
    assert_same(Neighbourhood(vectors).nearest(queries, 10), with_faiss)


def test_without_faiss_an_approximate_search_is_refused_and_an_exact_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(neighbours, "_faiss", lambda: None)
    vectors = unit(20, seed=8)
    with pytest.raises(ConfigError, match=r"adaptkit-nlp\[search\]"):
        Neighbourhood(vectors, approximate=True)
    assert Neighbourhood(vectors).nearest(vectors[3:4], 1).rows.tolist() == [[3]]


def test_an_approximate_search_finds_nearly_all() -> None:
    pytest.importorskip("faiss")
    vectors, queries = unit(2000, seed=9), unit(50, seed=10)
    exact, found = (
        Neighbourhood(vectors).nearest(queries, 10),
        Neighbourhood(vectors, approximate=True).nearest(queries, 10),
    )
    shared = [len({*ours} & {*theirs}) for ours, theirs in zip(exact.rows.tolist(), found.rows.tolist(), strict=True)]
    assert sum(shared) >= 0.95 * 10 * len(queries)
    assert (np.diff(found.cosines, axis=1) <= 0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_vectors_that_are_not_finite_are_refused(value: float) -> None:
    right = unit(5, seed=13)
    wrong = right.copy()
    wrong[3, 2] = value
    with pytest.raises(ConfigError, match=r"1 of the 5 vectors among which .* not finite .* in row 3"):
        Neighbourhood(wrong)
    with pytest.raises(ConfigError, match=r"1 of the 5 vectors whose nearest .* not finite"):
        Neighbourhood(right).nearest(wrong, 2)


def test_nothing_is_near_to_nothing() -> None:
    vectors = unit(3, seed=11)
    assert Neighbourhood(vectors).nearest(vectors[:0], 2).rows.shape == (0, 2)
    assert Neighbourhood(vectors[:0]).nearest(vectors, 2).rows.shape == (3, 0)


def test_memory_is_bounded() -> None:
    vectors, bound = unit(2000, seed=12, width=64), 2**21
    tracemalloc.start()
    try:
        Neighbourhood(vectors, block_bytes=bound).nearest(vectors, 4)
        (_, peak) = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * bound  # all similarities would take 48 MB


def assert_same(found: Neighbours, expected: Neighbours) -> None:
    ours: Any = found.rows.tolist()
    assert ours == expected.rows.tolist()
    assert found.cosines.tolist() == expected.cosines.tolist()
