"""Clusters by GraphX: what the executors decide is what one driver decides."""

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from datapipe.dedup.components import decide
from datapipe.dedup.graph import decide_with_graphx
from datapipe.dedup.index import NEW
from datapipe.dedup.rank import SIZE
from datapipe.dedup.verify import EDGES


@pytest.mark.slow
def test_graphx_finds_the_clusters_and_survivors_that_the_driver_finds(spark: SparkSession) -> None:
    """Random sparse edges among 300 documents (a quarter of an earlier run), and a chain of five."""
    draw = np.random.default_rng(2)

    def rank(node: int) -> bytes:
        return bytes([0 if node < 75 else NEW, *[0] * (SIZE - 3), *node.to_bytes(2, "big")])

    pairs = {tuple(sorted(pair)) for pair in draw.integers(0, 300, (140, 2)).tolist() if pair[0] != pair[1] and max(pair) >= 75}
    pairs |= {(node, node + 1) for node in range(400, 404)}
    rows = [{"leader": rank(a), "member": rank(b), "likeness": round(0.8 + 0.2 * draw.random(), 3)} for a, b in sorted(pairs)]
    edges = pa.Table.from_pylist(rows, EDGES)
    expected = decide(edges).sort_by("member").to_pylist()
    found = decide_with_graphx(spark, spark.createDataFrame(edges)).toArrow().sort_by("member").to_pylist()
    assert found == expected
    assert len({row["cluster"] for row in expected}) > 20, "several clusters of several documents"
