"""Parts of a domain: named beside the document by resample, followed by encode."""

from __future__ import annotations

from core.mix import domain_of
from datapipe.document import Document, to_batch
from datapipe.mix.holdout import Holdout
from datapipe.mix.subdomains import entries, entry_name, with_entries
from datapipe.stages.encode import clusters_of, conservation
from datapipe.work import ShardTask

BATCH = to_batch([Document("w", str(n), "WebText", f"text {n}", "zh", metadata={"path": f"p{n}"}) for n in range(3)])


def test_a_document_is_trained_on_under_the_name_of_its_part() -> None:
    name = entry_name("WebText/zh/high")
    named = with_entries(BATCH, [name, None, name])
    assert entries(named) == ["WebText.zh.high", "WebText", "WebText.zh.high"] and domain_of(name) == "WebText"
    assert [dict(row)["path"] for row in named.column("metadata").to_pylist()] == ["p0", "p1", "p2"], "the rest stays"
    assert with_entries(BATCH, [None] * 3) is BATCH


def test_each_part_holds_something_out_and_counts_go_to_its_domain() -> None:
    named = with_entries(BATCH, ["WebText.zh", "WebText.zh", "WebText.en"])
    [keys] = clusters_of(iter([named]), ShardTask(0, 1), Holdout(0.1, 1))
    assert keys.column("domain").to_pylist() == ["WebText.zh", "WebText.zh", "WebText.en"]
    written = [{"domain": name, "documents": count, "utf8_bytes": 9, "path": name, "sha256": {}} for name, count in
               (("WebText.zh", 2), ("WebText.en", 1))]  # fmt: skip
    assert conservation({"kept": 3}, written)["by_domain"]["WebText"]["kept"] == 3
