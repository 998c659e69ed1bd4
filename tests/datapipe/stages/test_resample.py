"""The mix as a stage: what was asked is got, the same documents whatever the number of shards, reasons on the ledger."""

from __future__ import annotations

from typing import Any

import pyarrow.parquet as pq
import pytest

from core.config import ConfigError
from datapipe.config import DataConfig, DomainShare, ExtractConfig, QualityBand, ResampleConfig
from datapipe.document import Document
from datapipe.stages.resample import resample
from tests.conftest import MakeWork
from tests.prose import article

MIX = {"WebText": DomainShare(proportion=0.6, languages={"en": 2, "zh": 1}), "Code": DomainShare(proportion=0.4, epochs=2.0)}


def corpus() -> list[Document]:
    kinds = [("WebText", "en", 60), ("WebText", "zh", 60), ("Code", "en", 12), ("Book", "en", 3)]
    return [
        Document(f"{domain}/{language}.txt", str(n), domain, article(f"{domain}{n}", language, 1 + n % 2), language)
        for domain, language, count in kinds
        for n in range(count)
    ]


def outcome(directory: str, shards: int) -> dict[str, dict | None]:
    rows: dict[str, dict | None] = {}
    for index in range(shards):
        for row in pq.read_table(f"{directory}/shards/{index:05d}.parquet").to_pylist():
            rows[row["id"]] = row["verdict"]
    return rows


def settings(shards: int, **more: Any) -> DataConfig:
    return DataConfig(extract=ExtractConfig(shards=shards), resample=ResampleConfig(mix=MIX, **more))


@pytest.fixture(scope="module")
def seen() -> dict[int, dict[str, dict | None]]:
    return {}


@pytest.mark.parametrize("shards", [1, 3])
def test_the_mix_is_met_and_the_same_documents_are_taken_for_any_number_of_shards(
    make_work: MakeWork, seen: dict[int, dict[str, dict | None]], shards: int
) -> None:
    documents = corpus()
    work = make_work("resample", documents, settings(shards))
    facts = resample(work)
    rows = outcome(work.directory.path(), shards)
    seen[shards] = rows
    assert len(rows) == facts["in"] == len(documents) and facts["kept"] + facts["removed"] == facts["in"]
    assert facts["by_rule"]["resample.not_in_mix"] == {"Book": 3}
    web, code = facts["mix"]["WebText"], facts["mix"]["Code"]
    assert code["epochs"] == code["epochs_of_budget"] == 2.0, "the scarce domain is taken whole, the trainer repeats it"
    assert facts["by_domain"]["Code"]["removed"] == 0
    one = 300  # tokens of the longest document, about
    assert abs(web["selected_tokens"] - web["asked_tokens"]) < 2 * one
    assert abs(web["languages"]["en"] - 2 * web["languages"]["zh"]) < 2 * one
    assert seen[shards] == seen[min(seen)]


def test_a_document_not_selected_says_why(make_work: MakeWork) -> None:
    work = make_work("resample", corpus(), settings(2))
    resample(work)
    verdicts = [verdict for verdict in outcome(work.directory.path(), 2).values() if verdict]
    drawn = [verdict for verdict in verdicts if verdict["rule"] == "resample.not_selected"]
    assert drawn and all(verdict["measure"] >= verdict["bound"] for verdict in drawn)
    assert {verdict["detail"] for verdict in drawn} <= {"WebText/en", "WebText/zh"}


def test_a_larger_budget_takes_the_same_documents_and_more(make_work: MakeWork) -> None:
    kept = []
    for tokens in (1_000, 3_000):
        work = make_work("resample", corpus(), settings(2, tokens=tokens))
        facts = resample(work)
        kept.append({identity for identity, verdict in outcome(work.directory.path(), 2).items() if verdict is None})
        assert facts["budget"]["got"] == tokens
        assert work.directory.manifest() is None
        for name in ("shards", "keys"):
            work.directory.begin(f"another {name}")
    assert kept[0] < kept[1]


def test_a_small_share_still_takes_the_documents_it_must(make_work: MakeWork) -> None:
    mix = {"WebText": DomainShare(proportion=0.9999), "Code": DomainShare(proportion=0.0001)}
    config = DataConfig(extract=ExtractConfig(shards=2), resample=ResampleConfig(mix=mix, minimum_documents=4))
    facts = resample(make_work("resample", corpus(), config))
    assert facts["by_domain"]["Code"]["kept"] == 4
    assert facts["mix"]["Code"]["proportion"] == pytest.approx(0.0001), "the trainer's weight stays what was asked"


def test_a_budget_beyond_the_corpus_is_refused(make_work: MakeWork) -> None:
    work = make_work("resample", corpus(), settings(2, tokens=10_000_000))
    with pytest.raises(ConfigError, match=r"tokens = 10,000,000: the corpus cannot give this mix\. WebText/en: 4,000,000"):
        resample(work)


def test_bands_of_quality_and_a_scarce_language_become_parts_that_the_trainer_repeats(make_work: MakeWork) -> None:
    documents = [
        Document("w", f"{language}{n}", "WebText", article(f"{language}{n}", language, 1), language, quality=(n % 20) / 20)
        for language, count in (("en", 100), ("zh", 20))
        for n in range(count)
    ]
    bands = {"high": QualityBand(0.25, 2.0), "low": QualityBand(0.75, 0.5)}
    share = DomainShare(proportion=1.0, languages={"en": 2, "zh": 1}, quality=bands)
    config = DataConfig(
        extract=ExtractConfig(shards=2), resample=ResampleConfig(mix={"WebText": share}, languages={"en": 2, "zh": 1})
    )
    work = make_work("resample", documents, config)
    facts = resample(work)
    assert list(facts["mix"]) == ["WebText.en.high", "WebText.en.low", "WebText.zh.high", "WebText.zh.low"]
    assert sum(row["proportion"] for row in facts["mix"].values()) == pytest.approx(1)
    assert facts["mix"]["WebText.zh.high"]["epochs"] == facts["mix"]["WebText.zh.high"]["epochs_of_budget"] == 2.0
    assert facts["languages"]["within"] and facts["trained_languages"]["en"] == pytest.approx(2 / 3, abs=1e-3)
    rows = [row for n in range(2) for row in pq.read_table(f"{work.directory.path()}/shards/{n:05d}.parquet").to_pylist()]
    for row in rows:
        if row["verdict"] is None:
            band = "high" if row["quality"] >= facts["bands"][f"WebText/{row['language']}"]["high"] else "low"
            assert dict(row["metadata"])["subdomain"] == f"WebText.{row['language']}.{band}" and row["domain"] == "WebText"
    assert {row["verdict"]["detail"] for row in rows if row["verdict"]} >= {"WebText/en/low", "WebText/zh/low"}
    for stratum in facts["strata"].values():
        assert abs(stratum["selected_tokens"] - stratum["select_tokens"]) <= max(
            stratum["step"], 0.001 * stratum["asked_tokens"]
        )


def test_a_ratio_of_languages_that_does_not_come_out_is_refused_where_it_must(make_work: MakeWork) -> None:
    mix = {"WebText": DomainShare(proportion=1.0)}
    config = ResampleConfig(mix=mix, languages={"en": 4, "zh": 1}, on_languages="refuse")
    work = make_work("resample", corpus(), DataConfig(extract=ExtractConfig(shards=2), resample=config))
    with pytest.raises(ConfigError, match="the mix would give en 0.* of the training tokens"):
        resample(work)


def test_bands_without_scores_are_refused(make_work: MakeWork) -> None:
    share = DomainShare(proportion=1.0, quality={"all": QualityBand(1.0)})
    work = make_work(
        "resample", corpus(), DataConfig(extract=ExtractConfig(shards=1), resample=ResampleConfig(mix={"WebText": share}))
    )
    with pytest.raises(ConfigError, match="mix.WebText.quality: none of its documents has a score"):
        resample(work)


def test_the_share_of_instruct_data_is_reported(make_work: MakeWork) -> None:
    tuned = [
        Document("chat", str(n), "Code", article(f"c{n}", "en", 1), "en", metadata={"instruct": "alpaca"}) for n in range(4)
    ]
    facts = resample(make_work("resample", [*corpus(), *tuned], settings(2)))
    row = facts["instruct"]["Code"]
    assert set(facts["instruct"]) == {"Code"} and row["documents"] == 4
    assert row["share"] == pytest.approx(row["tokens"] / facts["mix"]["Code"]["selected_tokens"], abs=1e-6)
