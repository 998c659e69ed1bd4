"""From texts to pairs without Spark: at any size of signature, copies meet and strangers do not."""

from pathlib import Path

import pyarrow as pa
import pytest

from datapipe.config import DedupDocumentsConfig
from datapipe.dedup.buckets import bands, meet
from datapipe.dedup.index import SIGNATURES, Place
from datapipe.dedup.rank import identity
from datapipe.document import Document, to_batch
from datapipe.shards import write_table
from datapipe.stages.dedup_documents import sign
from datapipe.work import ShardTask

TEXTS = {
    "one": "the ferry leaves at noon and comes back before it is dark every day of the week",
    "copy": "The ferry leaves at noon, and comes back before it is dark, every day of the week.",
    "other": "nobody has counted the stairs of the old tower since its keeper went to live abroad",
    "short": "two words",
    "short copy": "Two words!",
    "章": "渡船中午出发，天黑以前回来，每天如此，风雨无阻。",
    "章 copy": "渡船中午出发天黑以前回来每天如此风雨无阻",
    "empty": "",
    "empty too": "...",
}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"permutations": 1, "bands": 1, "rows": 1},
        {"permutations": 37, "bands": 7, "rows": 5, "scheme": "legacy", "seed": 9},
        {"permutations": 112, "bands": 14, "rows": 8, "words": 13, "characters": 1},
        {"permutations": 256, "bands": 32, "rows": 8, "words": 1, "characters": 13, "threshold": 0.5},
        {"permutations": 260, "bands": 20, "rows": 13, "words": 3, "characters": 3, "threshold": 1.0},
    ],
)
def test_copies_meet_at_any_number_of_permutations_bands_rows_and_units(tmp_path: Path, settings: dict) -> None:
    config = DedupDocumentsConfig(**settings)
    documents = [Document(source="s", key=key, domain="WebText", text=text) for key, text in TEXTS.items()]
    uri = str(tmp_path / "signatures.parquet")
    write_table(uri, SIGNATURES, sign(iter([to_batch(documents)]), ShardTask(0, 1), config))
    rows = pa.Table.from_batches(bands(iter([pa.RecordBatch.from_pydict({"id": [0]})]), [Place(uri)], config))
    assert rows.num_rows == config.bands * (len(TEXTS) - 2), "a document without a word is in no bucket"
    ordered = rows.sort_by([("band", "ascending"), ("row", "ascending")])
    keys = {document.id: document.key for document in documents}
    found = {
        frozenset(keys[identity(pair[side])] for side in ("leader", "member"))
        for batch in meet(iter(ordered.to_batches(5)), config)
        for pair in batch.to_pylist()
    }
    copies = {frozenset(pair) for pair in (("one", "copy"), ("short", "short copy"), ("章", "章 copy"))}
    assert copies <= found
    if config.permutations > 100:
        assert found == copies
