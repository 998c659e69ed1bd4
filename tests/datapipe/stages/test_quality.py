"""Quality as two stages: a classifier from named sources, its card, and what the filter does with it."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.config import build
from datapipe.config import DataConfig, ExtractConfig, FilterQualityConfig, QualitySources, Selector, TrainQualityConfig
from datapipe.document import Document, to_batch
from datapipe.stages.filter_quality import RULE, filter_quality, thresholds
from datapipe.stages.train_quality import role, sample, train_quality
from datapipe.work import ShardTask
from tests.conftest import MakeWork

REFERENCE = "the theory of river basins describes how water erosion and sediment shape a valley over geological time".split()
CRAWL = "click here buy now best price free shipping login sign up subscribe deals menu cart share tweet comments".split()
BOTH = "and of a to in is it for on with as at by from".split()
ZH_REFERENCE, ZH_CRAWL = "河流域的理论描述了侵蚀与沉积如何塑造山谷", "点击这里立即购买最低价格免费送货登录注册订阅"


def text(draw: random.Random, own: list[str], words: int) -> str:
    return " ".join(draw.choice(own if draw.random() < 0.5 else BOTH) for _ in range(words))


def documents(language: str = "en", good: list[str] = REFERENCE, bad: list[str] = CRAWL) -> list[Document]:
    draw = random.Random(4)
    made = []
    for n in range(60):
        made.append(
            Document(source=f"wiki/{n % 12}.xml", key=str(n), domain="WorldKnowledge", language=language,
                     text=text(draw, good, draw.randint(40, 400)))
        )  # fmt: skip
        kind = good if n % 10 == 0 else bad  # one crawled page in ten reads like the reference
        made.append(
            Document(source="crawl.warc", key=f"{n} {kind is good}", domain="WebText", language=language,
                     url=f"https://www.site{n % 15}.test/{n}", text=text(draw, kind, draw.randint(40, 400)))
        )  # fmt: skip
    return made


SMALL = TrainQualityConfig(minimum=20, window=50, windows=2, dim=8, epochs=10, bucket=1000, held_out=0.4)
SETTINGS = DataConfig(extract=ExtractConfig(shards=2), train_quality=SMALL)


def rows(directory: str) -> list[dict]:
    return [row for index in range(2) for row in pq.read_table(f"{directory}/shards/{index:05d}.parquet").to_pylist()]


def test_the_filter_keeps_what_reads_like_the_reference_and_scores_what_it_judged(make_work: MakeWork, tmp_path: Path) -> None:
    both = documents() + documents("zh", list(ZH_REFERENCE), list(ZH_CRAWL))[:20] + documents("fr")[:6]
    trained = make_work("train_quality", both, SETTINGS)
    card = train_quality(trained)["languages"]
    assert card["en"]["trained"] and card["en"]["unseen_hosts"]["auc"] > 0.85
    assert abs(card["en"]["unseen_hosts"]["auc_length_only"] - 0.5) < 0.25
    assert card["en"]["unseen_hosts"]["auc_form_only"] < card["en"]["unseen_hosts"]["auc"]
    assert card["en"]["unseen_hosts"]["auc_source_only"] == 0.5, "no host of the test was trained on"
    assert card["en"]["unseen_domains"] == {}, "there is one positive domain"
    written = (tmp_path / "run/train_quality/model_card.md").read_text()
    assert "## en" in written and "| source only | 0.5 |" in written and "not trained: fewer than 20" in written
    assert card["en"]["split"]["test"]["negative"]["hosts"] > 0
    assert not card["zh"]["trained"] and "fewer than 20" in card["zh"]["reason"]
    assert json.loads((tmp_path / "run/train_quality/model_card.json").read_text()) == card

    settings = replace(SETTINGS, filter_quality=FilterQualityConfig(threshold=0.5))
    work = make_work("filter_quality", both, settings, train_quality=tmp_path / "run/train_quality")
    facts = filter_quality(work)
    judged = {row["id"]: row for row in rows(work.directory.path())}
    for row in judged.values():
        scored = row["domain"] == "WebText" and row["language"] == "en"
        assert (row["quality"] is not None) == scored
        if scored:
            assert (row["verdict"] is None) == (row["quality"] >= 0.5)
            assert row["verdict"] is None or row["verdict"]["rule"] == RULE and row["verdict"]["bound"] == 0.5
    pages = [row for row in judged.values() if row["domain"] == "WebText" and row["language"] == "en"]
    right = [(row["verdict"] is None) == row["key"].endswith("True") for row in pages]
    assert sum(right) / len(right) > 0.85
    assert {name: entry["documents"] for name, entry in facts["unfiltered"].items()} == {"zh": 10, "fr": 3}


def test_a_domain_that_training_did_not_see_is_measured(make_work: MakeWork) -> None:
    both = [replace(d, domain="Book") if d.domain == "WorldKnowledge" and int(d.key) % 2 else d for d in documents()]
    sources = QualitySources(
        positives=[Selector(domains=["Book", "WorldKnowledge"])], negatives=[Selector(domains=["WebText"])]
    )
    settings = replace(SETTINGS, train_quality=replace(SMALL, languages={"en": sources}))
    card = train_quality(make_work("train_quality", both, settings))["languages"]["en"]
    assert set(card["unseen_domains"]) == {"Book", "WorldKnowledge"}
    for row in card["unseen_domains"].values():
        assert row["documents"] == 30 and row["auc"] > 0.85 > row["auc_form_only"] - 0.1


def test_training_twice_gives_the_same_model_whatever_the_shards(make_work: MakeWork, tmp_path: Path) -> None:
    digests = []
    for shards in (1, 3):
        work = make_work("train_quality", documents(), replace(SETTINGS, extract=ExtractConfig(shards=shards)))
        digests.append(train_quality(work)["languages"]["en"]["sha256"])
        (tmp_path / "run").rename(tmp_path / f"run {shards}")
    assert digests[0] == digests[1]


def test_chinese_is_learnt_by_characters(make_work: MakeWork) -> None:
    work = make_work("train_quality", documents("zh", list(ZH_REFERENCE), list(ZH_CRAWL)), SETTINGS)
    assert train_quality(work)["languages"]["zh"]["unseen_hosts"]["auc"] > 0.85


def test_a_selector_needs_every_list_that_it_gives_and_positives_come_first() -> None:
    sources = QualitySources(
        positives=[Selector(domains=["WebText"], sources=["good/*"]), Selector(domains=["Book"])],
        negatives=[Selector(domains=["WebText"])],
    )
    assert role(sources, "WebText", "good/a") is True
    assert role(sources, "WebText", "bad/a") is False
    assert role(sources, "Book", "x") is True
    assert role(sources, "Code", "good/a") is None and role(None, "Book", "x") is None


def test_a_url_that_cannot_be_read_does_not_end_the_sample() -> None:
    selectors = QualitySources(positives=[Selector(domains=["Book"])], negatives=[Selector(domains=["WebText"])])
    config = TrainQualityConfig(languages={"en": selectors})
    page = Document("web/a.warc.gz", "1", "WebText", "Click here.", "en", url="https://[email protected]/about")
    (batch,) = sample(iter([to_batch([page])]), ShardTask(0, 1), config, seed=1)
    assert batch.column("host").to_pylist() == ["file:web/a.warc.gz"]


def test_sources_can_be_named_in_yaml() -> None:
    sources = {"positives": [{"sources": ["a/*"]}], "negatives": [{"domains": ["WebText"]}]}
    config = build(DataConfig, {"train_quality": {"languages": {"en": sources}}})
    assert config.train_quality.languages["en"].positives[0].sources == ["a/*"]


def test_thresholds_follow_the_keep_rate_unless_one_is_given() -> None:
    cards = {"en": {"trained": True, "crawl_quantiles": [n / 100 for n in range(101)]}, "zh": {"trained": False}}
    assert thresholds(cards, FilterQualityConfig(keep_rate=0.7)) == {"en": pytest.approx(0.3)}
    assert thresholds(cards, FilterQualityConfig(threshold=0.25)) == {"en": 0.25}
