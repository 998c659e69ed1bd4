"""Clusters and survivors, against their definitions spelled out one node at a time."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from datapipe.dedup.components import clusters, survivors

EDGE = st.tuples(st.integers(0, 11), st.integers(0, 11), st.floats(0.8, 1)).filter(lambda edge: edge[0] < edge[1])
EDGES = st.lists(EDGE, max_size=30)


@given(EDGES)
@settings(max_examples=120, deadline=None)
def test_walking_by_rank_a_node_goes_if_it_is_near_to_one_that_stays(edges: list[tuple[int, int, float]]) -> None:
    edges = list({edge[:2]: edge for edge in edges}.values())
    first, second = (np.array([edge[side] for edge in edges], np.int64) for side in (0, 1))
    likeness = np.array([edge[2] for edge in edges])
    found = clusters(12, first, second, likeness)

    stays: set[int] = set()
    for node in range(12):
        if not any((a, node) == edge[:2] for a in stays for edge in edges):
            stays.add(node)
    assert set(np.flatnonzero(survivors(12, first, second))) == stays
    assert set(np.flatnonzero(found.survivor < 0)) == stays

    lowest = list(range(12))
    for _ in range(12):
        for a, b, _ in edges:
            lowest[a] = lowest[b] = min(lowest[a], lowest[b])
    assert found.cluster.tolist() == lowest, "a cluster is all that hangs together, named by its best rank"

    for node in set(range(12)) - stays:
        own = [(edge[2], -edge[0]) for edge in edges if edge[1] == node and edge[0] in stays]
        assert (found.likeness[node], -found.survivor[node]) == max(own), "the most like, then the best ranked"


def test_long_chains_are_settled() -> None:
    nodes = np.arange(999)
    assert survivors(1000, nodes, nodes + 1).tolist() == [n % 2 == 0 for n in range(1000)]


def test_without_edges_everybody_stays() -> None:
    none = np.zeros(0, np.int64)
    assert survivors(3, none, none).all()
    assert clusters(0, none, none, np.zeros(0)).cluster.tolist() == []
