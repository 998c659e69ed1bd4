"""The domain table against what the corpus has: what is taken, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config import ConfigError, load
from core.line import foreign
from datapipe.config import DataConfig, DomainShare, QualityBand, ResampleConfig
from datapipe.document import DOMAINS
from datapipe.mix.table import furthest, language_ratios, solve, stratum


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


BANDS = {"high": QualityBand(0.25, 2.0), "low": QualityBand(0.75, 0.5)}


def test_bands_of_quality_weigh_as_often_as_they_are_seen() -> None:
    mix = {"WebText": DomainShare(proportion=0.5, quality=BANDS), "Code": DomainShare(proportion=0.5)}
    plan = solve(ResampleConfig(mix=mix), {"WebText/high": 250, "WebText/low": 750, "WebText/unscored": 125, "Code": 2_000})
    assert plan.budget == pytest.approx(2 * (500 + 375 + 125)), "WebText gives what its bands weigh"
    assert {name: target.epochs for name, target in plan.of("WebText").items()} == {
        "WebText/high": pytest.approx(2.0), "WebText/low": pytest.approx(0.5), "WebText/unscored": pytest.approx(1.0),
    }  # fmt: skip
    assert plan.divided("WebText") and not plan.divided("Code")


def test_a_smaller_budget_keeps_the_weights_of_the_bands_and_repeats_nothing_that_need_not_be() -> None:
    mix = {"WebText": DomainShare(proportion=1.0, quality=BANDS, languages={"en": 2, "zh": 1})}
    available = {f"WebText/{language}/{band}": 1_000 for language in ("en", "zh") for band in BANDS}
    plan = solve(ResampleConfig(mix=mix, tokens=1_200), available)
    assert {name: target.asked for name, target in plan.targets.items()} == {
        "WebText/en/high": pytest.approx(640), "WebText/en/low": pytest.approx(160),
        "WebText/zh/high": pytest.approx(320), "WebText/zh/low": pytest.approx(80),
    }  # fmt: skip
    assert not plan.divided("WebText")


def test_a_language_that_is_repeated_while_another_is_not_divides_its_domain() -> None:
    mix = {"WebText": DomainShare(proportion=1.0, epochs=2.0, languages={"en": 2, "zh": 1})}
    plan = solve(ResampleConfig(mix=mix), {"WebText/en": 1_000, "WebText/zh": 100})
    assert {name: target.epochs for name, target in plan.targets.items()} == {
        "WebText/en": pytest.approx(0.4), "WebText/zh": pytest.approx(2.0),
    }  # fmt: skip
    assert plan.divided("WebText")


def test_a_band_beyond_its_epochs_is_refused_by_name() -> None:
    mix = {"WebText": DomainShare(proportion=1.0, quality=BANDS)}
    with pytest.raises(ConfigError, match=r"WebText/high: 1,143 tokens are asked for and 500 are there, 2.29 epochs, 2 are"):
        solve(ResampleConfig(mix=mix, tokens=2_000), {"WebText/high": 500, "WebText/low": 1_500})


def test_the_ratio_of_languages_is_told_as_got_over_asked() -> None:
    ratios = language_ratios({"en": 2, "zh": 1}, {"en": 0.5, "zh": 0.4, "de": 0.1})
    assert ratios == {"en": pytest.approx(0.8333, abs=1e-4), "zh": pytest.approx(1.3333, abs=1e-4)}
    assert furthest(ratios.values()) == pytest.approx(1 / 3)


def test_proportions_for_some_domains_only_are_refused() -> None:
    with pytest.raises(ConfigError, match="Code lack a proportion"):
        ResampleConfig(mix=shares(WebText=(0.5, 1.0), Code=(None, 1.0)))


def test_the_mix_of_the_report_is_its_table_1() -> None:
    path = Path(__file__).resolve().parents[3] / "configs" / "mix" / "tele-flm.yaml"
    config = load(path, [], DataConfig, foreign("datapipe")).resample
    mix = config.mix
    assert config.languages == {"en": 2, "zh": 1}
    assert {name: share.languages for name, share in mix.items() if share.languages} == {
        "WebText": {"en": 2, "zh": 1}, "Book": {"en": 1, "zh": 1}, "QA": {"en": 1, "zh": 2},
    }  # fmt: skip
    assert tuple(mix) == DOMAINS
    assert sum(share.proportion or 0 for share in mix.values()) == pytest.approx(100.01)
    assert {name: share.epochs for name, share in mix.items() if share.epochs != 1.0} == {
        "Book": 0.8, "WorldKnowledge": 2.5, "Profession-Math": 2.0, "ClassicalChinese": 2.5,
    }  # fmt: skip


def test_the_reports_tokenizer_has_80000_entries() -> None:
    path = Path(__file__).resolve().parents[3] / "configs" / "tokenizer" / "80k.yaml"
    assert load(path, [], DataConfig, foreign("datapipe")).train_tokenizer.vocabulary == 80_000
