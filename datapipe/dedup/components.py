"""From verified pairs to clusters and survivors.

A cluster is a connected component: a chain of near-duplicates belongs together, and later goes to the training or to the
validation split as a whole. Who is removed is decided more strictly: walking in the order of ranks, a document is removed
if it is near to one that stays, else it stays. So nobody is removed for a chain, and each removed document can name a
survivor to which it is near enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from datapipe.dedup.index import NEW
from datapipe.dedup.rank import SIZE, matrix

Nodes = NDArray[np.int64]

DECIDED = pa.schema([("member", pa.binary()), ("cluster", pa.binary()), ("survivor", pa.binary()), ("likeness", pa.float64())])


@dataclass(frozen=True)
class Clusters:
    """What the edges say of each node [N]: cluster, the node of best rank in its component; survivor, the one that it is
    removed for (-1 where it stays); likeness, the Jaccard to that survivor (0 where it stays)."""

    cluster: Nodes
    survivor: Nodes
    likeness: NDArray[np.float64]


def clusters(nodes: int, first: Nodes, second: Nodes, likeness: NDArray[np.float64]) -> Clusters:
    """Clusters of nodes 0..nodes-1, numbered by rank (0 the best), from edges first < second [E] with their Jaccard."""
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(nodes, nodes))
    _, labels = connected_components(graph, directed=False)
    _, best = np.unique(labels, return_index=True)  # the first node of each component is the best ranked
    stays = survivors(nodes, first, second)
    chosen = np.full(nodes, -1, np.int64)
    share = np.zeros(nodes, np.float64)
    near = stays[first] & ~stays[second]
    # Each removed node names the survivor most like it; among equals, the best ranked: written last, so it stays written.
    order = np.lexsort((-first[near], likeness[near]))
    removed = second[near][order]
    chosen[removed] = first[near][order]
    share[removed] = likeness[near][order]
    return Clusters(best[labels].astype(np.int64), chosen, share)


def survivors(nodes: int, first: Nodes, second: Nodes) -> NDArray[np.bool_]:
    """Which nodes stay [N]: those without an edge to a better ranked node that stays.

    Decided in rounds over all edges: a node with a survivor among its betters goes; one whose betters have all gone stays.
    Each round settles at least the best node that is still open; in practice a handful of rounds is enough.
    """
    stays = np.zeros(nodes, np.bool_)
    gone = np.zeros(nodes, np.bool_)
    while True:
        waiting = np.bincount(second[~gone[first]], minlength=nodes) > 0
        stays |= ~waiting & ~gone
        fresh = np.zeros(nodes, np.bool_)
        fresh[second[stays[first]]] = True
        fresh &= ~gone
        if not fresh.any() and (stays | gone).all():
            return stays
        gone |= fresh


def decide(edges: pa.Table) -> pa.Table:
    """Clusters and survivors from verified edges (leader, member, likeness), all by rank: (member, cluster, survivor,
    likeness) of every new document with an edge; survivor and likeness are null where the document stays."""
    columns = [edges.column(name) for name in ("leader", "member")]
    nodes = pc.unique(pa.chunked_array([*columns[0].chunks, *columns[1].chunks], pa.binary()))
    nodes = nodes.take(pc.sort_indices(nodes))
    codes = [pc.index_in(column, nodes).to_numpy().astype(np.int64) for column in columns]
    found = clusters(len(nodes), codes[0], codes[1], edges.column("likeness").to_numpy())
    new = np.flatnonzero(matrix(nodes, SIZE)[:, 0] == NEW)
    stays = found.survivor[new] < 0
    decided = [
        nodes.take(pa.array(new)),
        nodes.take(pa.array(found.cluster[new])),
        nodes.take(pa.array(found.survivor[new], mask=stays)),
        pa.array(found.likeness[new], mask=stays),
    ]
    return pa.Table.from_arrays(decided, schema=DECIDED)


def decide_each(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same from edges that come sorted by a column `component`: whole components at a time, as many as a batch holds."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        component = batch.column("component").to_numpy()
        if held and held[-1].column("component")[-1].as_py() != component[0]:
            yield from _decided(held)
            held = []
        last = int(np.searchsorted(component, component[-1]))
        if last:
            yield from _decided([*held, batch.slice(0, last)])
            held = []
        held.append(batch.slice(last))
    if held:
        yield from _decided(held)


def _decided(held: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield from decide(pa.Table.from_batches(held)).combine_chunks().to_batches()
