"""The domain table against what the corpus has: what is taken, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config import ConfigError, load
from core.line import foreign
from datapipe.config import DataConfig, DomainShare, ResampleConfig
from datapipe.document import DOMAINS
from datapipe.mix.table import solve, stratum


def shares(**rows: tuple[float | None, float]) -> dict[str, DomainShare]:
    return {name: DomainShare(proportion=row[0], epochs=row[1]) for name, row in rows.items()}


def test_without_a_budget_the_scarcest_domain_sets_it() -> None:
    config = ResampleConfig(mix=shares(WebText=(0.8, 1.0), WorldKnowledge=(0.2, 2.5)))
    plan = solve(config, {"WebText": 1_000, "WorldKnowledge": 50})
    assert plan.budget == pytest.approx(50 * 2.5 / 0.2)
    assert plan.targets["WorldKnowledge"].epochs == pytest.approx(2.5)
    assert plan.targets["WorldKnowledge"].select == 50, "epochs above one select everything once"
    assert plan.targets["WebText"].select == pytest.approx(500)


def test_a_budget_is_shared_by_proportion_whatever_its_scale() -> None:
    config = ResampleConfig(tokens=1_000, mix=shares(WebText=(75.0, 1.0), Code=(25.0, 1.0)))
    plan = solve(config, {"WebText": 5_000, "Code": 5_000})
    assert {name: target.asked for name, target in plan.targets.items()} == {"WebText": 750, "Code": 250}
    assert plan.shares == {"WebText": 0.75, "Code": 0.25}


def test_epochs_below_one_use_only_that_part_of_a_domain() -> None:
    plan = solve(ResampleConfig(mix=shares(Book=(1.0, 0.8))), {"Book": 1_000})
    assert plan.targets["Book"].select == pytest.approx(800)


def test_epochs_alone_make_the_proportions() -> None:
    config = ResampleConfig(mix=shares(WebText=(None, 1.0), WorldKnowledge=(None, 2.5)))
    plan = solve(config, {"WebText": 750, "WorldKnowledge": 100})
    assert plan.budget == pytest.approx(1_000)
    assert plan.shares == {"WebText": 0.75, "WorldKnowledge": 0.25}


def test_without_a_mix_everything_is_taken_once() -> None:
    plan = solve(ResampleConfig(), {"WebText": 30, "Code": 10})
    assert {name: target.select for name, target in plan.targets.items()} == {"WebText": 30, "Code": 10}


def test_a_mix_that_the_corpus_cannot_give_is_refused_with_the_epochs_it_would_take() -> None:
    config = ResampleConfig(tokens=1_000, mix=shares(WebText=(0.75, 1.0), Code=(0.25, 1.0)))
    with pytest.raises(ConfigError) as refusal:
        solve(config, {"WebText": 300, "Code": 500})
    assert "WebText: 750 tokens are asked for and 300 are there, 2.5 epochs, 1 are allowed" in str(refusal.value)
    assert "400 tokens or fewer" in str(refusal.value)
    assert "Code" not in str(refusal.value)


def test_a_shortfall_may_scale_the_budget_and_is_reported() -> None:
    config = ResampleConfig(tokens=1_000, mix=shares(WebText=(0.75, 1.0), Code=(0.25, 1.0)), on_shortfall="scale")
    plan = solve(config, {"WebText": 300, "Code": 500})
    assert plan.budget == pytest.approx(400)
    assert plan.targets["Code"].select == pytest.approx(100), "proportions hold"
    assert len(plan.short) == 1


def test_languages_are_taken_in_their_ratio_and_others_keep_their_share() -> None:
    mix = {"WebText": DomainShare(proportion=1.0, languages={"en": 2, "zh": 1})}
    available = {"WebText/en": 600, "WebText/zh": 100, "WebText/other": 300}
    plan = solve(ResampleConfig(mix=mix), available)
    taken = {name: target.select for name, target in plan.targets.items()}
    assert taken["WebText/zh"] == pytest.approx(100), "the scarce language sets the size"
    assert taken["WebText/en"] == pytest.approx(200)
    assert taken["WebText/other"] / sum(taken.values()) == pytest.approx(0.3)
    assert [stratum("WebText", language, mix) for language in ("zh", "de")] == ["WebText/zh", "WebText/other"]


def test_a_domain_without_text_is_refused_or_dropped_as_asked() -> None:
    mix = shares(WebText=(0.6, 1.0), Code=(0.2, 1.0), Book=(0.2, 1.0))
    with pytest.raises(ConfigError, match="no text for Book; give their sources text"):
        solve(ResampleConfig(mix=mix), {"WebText": 60, "Code": 60})
    plan = solve(ResampleConfig(mix=mix, on_missing="drop"), {"WebText": 60, "Code": 60})
    assert plan.missing == ["Book"]
    assert plan.shares == {"WebText": pytest.approx(0.75), "Code": pytest.approx(0.25)}


def test_a_language_without_text_is_refused_or_dropped_as_asked() -> None:
    mix = {"WebText": DomainShare(proportion=1.0, languages={"en": 2, "zh": 1})}
    with pytest.raises(ConfigError, match="no text for WebText/zh"):
        solve(ResampleConfig(mix=mix), {"WebText/en": 60})
    plan = solve(ResampleConfig(mix=mix, on_missing="drop"), {"WebText/en": 60})
    assert plan.targets["WebText/en"].select == pytest.approx(60)


def test_proportions_for_some_domains_only_are_refused() -> None:
    with pytest.raises(ConfigError, match="Code lack a proportion"):
        ResampleConfig(mix=shares(WebText=(0.5, 1.0), Code=(None, 1.0)))


def test_the_mix_of_the_report_is_its_table_1() -> None:
    path = Path(__file__).resolve().parents[3] / "configs" / "mix" / "tele-flm.yaml"
    mix = load(path, [], DataConfig, foreign("datapipe")).resample.mix
    assert tuple(mix) == DOMAINS
    assert sum(share.proportion or 0 for share in mix.values()) == pytest.approx(100.01)
    assert {name: share.epochs for name, share in mix.items() if share.epochs != 1.0} == {
        "Book": 0.8, "WorldKnowledge": 2.5, "Profession-Math": 2.0, "ClassicalChinese": 2.5,
    }  # fmt: skip


def test_the_reports_tokenizer_has_80000_entries() -> None:
    path = Path(__file__).resolve().parents[3] / "configs" / "tokenizer" / "80k.yaml"
    assert load(path, [], DataConfig, foreign("datapipe")).train_tokenizer.vocabulary == 80_000
