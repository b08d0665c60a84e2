"""Pools of memory that recordings share."""

from itertools import count

from adaptkit.attaching.graph_pool import GraphPool


class Graph:
    """Stands for a CUDA graph."""


def test_graphs_share_a_pool_while_one_of_them_lives() -> None:
    pool = GraphPool(count().__next__)
    first, second = Graph(), Graph()
    assert pool.handle_for(first) == pool.handle_for(second)
    del first
    assert pool.handle_for(Graph()) == 0


def test_a_pool_whose_graphs_are_gone_is_not_used_again() -> None:
    pool = GraphPool(count().__next__)
    there, back = Graph(), Graph()
    assert pool.handle_for(there, back) == 0
    del there, back
    assert pool.handle_for(Graph()) == 1
