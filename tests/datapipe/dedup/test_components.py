"""Clusters and survivors, against their definitions spelled out one node at a time."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from datapipe.dedup.components import DECIDED, clusters, decide, decide_each, survivors
from datapipe.dedup.index import NEW
from datapipe.dedup.rank import SIZE
from datapipe.dedup.verify import EDGES as EDGE_SCHEMA

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


@given(EDGES, st.lists(st.integers(0, 30), max_size=4))
@settings(max_examples=80, deadline=None)
def test_components_decided_a_few_at_a_time_are_decided_alike(edges: list[tuple[int, int, float]], cuts: list[int]) -> None:
    def rank(node: int) -> bytes:
        return bytes([NEW if node % 4 else 0, *[0] * (SIZE - 2), node])  # every fourth belongs to an earlier run

    edges = list({edge[:2]: edge for edge in edges if edge[1] % 4}.values())
    edges = [(a, b, likeness) if rank(a) < rank(b) else (b, a, likeness) for a, b, likeness in edges]
    label = list(range(12))
    for _ in range(12):
        for a, b, _ in edges:
            label[a] = label[b] = min(label[a], label[b])
    edges.sort(key=lambda edge: label[edge[0]] % 5)  # components may share a number, as hashes may collide
    columns = [[rank(a) for a, _, _ in edges], [rank(b) for _, b, _ in edges], [likeness for _, _, likeness in edges]]
    table = pa.table([pa.array(part, kind.type) for part, kind in zip(columns, EDGE_SCHEMA, strict=True)], EDGE_SCHEMA)
    whole = decide(table)
    table = table.append_column("component", pa.array([label[a] % 5 for a, _, _ in edges], pa.int64()))
    bounds = [0, *sorted(cut for cut in cuts if cut < len(edges)), len(edges)]
    batches = [part for a, b in zip(bounds, bounds[1:], strict=False) for part in table.slice(a, b - a).to_batches()]
    parts = pa.Table.from_batches(decide_each(iter(batches)), DECIDED)
    assert parts.sort_by("member").to_pylist() == whole.sort_by("member").to_pylist()
    assert all(row["member"][0] == NEW for row in whole.to_pylist())
