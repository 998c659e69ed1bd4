"""Parts of a domain: named beside the document by resample, followed by encode and by the sample for the vocabulary."""

from __future__ import annotations

from core.mix import domain_of
from datapipe.document import Document, to_batch
from datapipe.mix.holdout import Holdout
from datapipe.mix.ranks import RANK_BITS
from datapipe.mix.subdomains import entries, entry_name, with_entries
from datapipe.stages.encode import clusters_of, conservation
from datapipe.stages.train_tokenizer import sample_bounds
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


def test_the_sample_for_the_vocabulary_gives_a_domain_the_share_of_all_its_parts() -> None:
    mix = {"WebText.zh": {"proportion": 0.25}, "WebText.en": {"proportion": 0.5}, "Code": {"proportion": 0.25}}
    bounds = sample_bounds(100, mix, {"WebText": {"bytes_kept": 150}, "Code": {"bytes_kept": 100}}, {})
    assert bounds == {"WebText": (1 << RANK_BITS) // 2, "Code": (1 << RANK_BITS) // 4}
