"""Loss foretold from narrow runs, on logs made by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from core.config import ConfigError, load, plain
from core.line import foreign
from core.run import Run
from tests.trainer.tokens import write_encoded
from tests.trainer.worlds import ROOT, tiny
from trainer import plan
from trainer.config import PredictConfig, ScheduleConfig, TrainConfig, TransferConfig
from trainer.model.initial import build
from trainer.pretrain import weights_depend_on
from trainer.search import predict as room
from trainer.search.combination import Combination
from trainer.search.predict import predict, wider_is_worse
from trainer.search.transfer import transfer
from trainer.search.trials import Row, Trial, shards, trial
from trainer.search.widths import at_width, seeded


def law(millions: float, step: int) -> float:
    return 0.3 * float(millions**-0.5) + 2.0 + 1.0 / step


def small() -> TrainConfig:
    return load(ROOT / "configs/search/small.yaml", [], TrainConfig, foreign("trainer"))


PARAMETERS = plan.parameters(replace(at_width(small(), 256).model, vocab=58)) / 1e6


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with shards; trials are not trained, their logs follow the law, a little higher for another seed. As in real
    ones, a log that is long enough is left as it is."""
    folder = tmp_path / "run"
    write_encoded(folder)
    monkeypatch.chdir(ROOT)

    def bring(trials: list[Trial], steps: list[int], *_: Any) -> None:
        for one, last in zip(trials, steps, strict=True):
            if len(one.rows()) >= last:
                continue
            model = replace(one.config.model, vocab=58)
            millions, seed = plan.parameters(model) / 1e6, 1e-4 * (model.init_seed or 0)
            rows = [
                {"step": n, "tokens": 4096 * n, "loss": law(millions, n) + seed, "grad_norm": 1.0} for n in range(1, last + 1)
            ]
            (one.folder / "pretrain").mkdir(parents=True, exist_ok=True)
            (one.folder / "pretrain/log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    monkeypatch.setattr(room, "bring_to", bring)
    return folder


def test_the_wide_models_loss_is_foretold_along_its_way(run: Path) -> None:
    config = small()
    config = replace(config, run=str(run), predict=PredictConfig(widths=[32, 64, 96, 128, 160], seeds=2, points=4))
    said = predict(config)
    found = json.loads((run / "predict/prediction.json").read_text())
    target = at_width(config, 256).model
    millions = plan.parameters(replace(target, vocab=58)) / 1e6
    assert found["target"]["parameters"] == plan.parameters(replace(target, vocab=58))
    assert found["target"]["model"]["hidden"] == 256 and found["target"]["model"]["vocab"] == 58
    assert [place["step"] for place in found["curve"]] == [50, 100, 150, 200]
    for place in found["curve"]:
        mean = sum(law(millions, n) for n in range(place["step"] - 9, place["step"] + 1)) / 10
        assert place["loss"] == pytest.approx(mean, abs=1e-3)
        assert 0 < place["half_width"] < 0.01
    assert found["predicted"][-1] == [819200, pytest.approx(found["curve"][-1]["loss"], abs=1e-5)]
    assert all(row["worse"] == 0 for row in found["wider_is_worse"]) and len(found["wider_is_worse"]) == 4
    assert any("foretold at 819,200 tokens" in line for line in said)
    assert "<path" in (run / "predict/curve.svg").read_text()


def test_the_carried_config_watches_the_curve_that_was_foretold(run: Path) -> None:
    config = replace(small(), run=str(run), predict=PredictConfig(widths=[32, 64, 96, 128], points=3))
    predict(config)
    found = json.loads((run / "predict/prediction.json").read_text())
    made = load(transfer(config), [], TrainConfig, foreign("trainer"))
    assert made.pretrain.monitor.predicted == found["predicted"] and len(found["predicted"]) == 3
    assert made.pretrain.monitor.interval == 0.05  # the interval of these smooth logs is narrower than that
    other = replace(config, transfer=replace(config.transfer, combination={"lr": 1e-3}))
    assert load(transfer(other), [], TrainConfig, foreign("trainer")).pretrain.monitor.predicted == []


def test_a_curve_is_watched_only_by_the_training_it_was_foretold_for(run: Path, tmp_path: Path) -> None:
    config = replace(small(), run=str(run), predict=PredictConfig(widths=[32, 64, 96, 128], points=3))
    predict(config)

    def watched(**change: Any) -> tuple[bool, str]:
        tree = {"extends": str(ROOT / "configs/search/small-target.yaml"), **change}
        (tmp_path / "target.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
        path = Path(transfer(replace(config, transfer=TransferConfig(target=str(tmp_path / "target.yaml")))))
        return bool(load(path, [], TrainConfig, foreign("trainer")).pretrain.monitor.predicted), path.read_text()

    assert watched()[0] and watched(model={"init_seed": 9})[0]
    for change, says in (
        ({"model": {"layers": 6}}, "model.layers: 4, not 6"),  # of the same width, all of them
        ({"model": {"ffn": 1024}}, "model.ffn: 704, not 1024"),
        ({"pretrain": {"batch": 32}}, "pretrain.batch: 16, not 32"),
        ({"pretrain": {"steps": 400}}, "pretrain.schedule.length: 200, not 400"),
        ({"pretrain": {"schedule": {"warmup": 40}}}, "pretrain.schedule.warmup: 20, not 40"),
    ):
        found, text = watched(**change)
        assert not found and f"No foretold curve is watched: {run}/predict/prediction.json is for {says}" in text
    assert watched(pretrain={"steps": 400, "schedule": {"length": 200}})[0]  # a longer run on the same schedule


def carried(config: TrainConfig) -> str:
    return Path(transfer(config)).read_text(encoding="utf-8")


def encoded_otherwise(run: Path) -> None:
    """What another tokenizer or another mix leaves: a manifest with another fingerprint."""
    manifest = json.loads((run / "encode/manifest.json").read_text(encoding="utf-8"))
    (run / "encode/manifest.json").write_text(json.dumps({**manifest, "fingerprint": "other"}), encoding="utf-8")


def test_a_curve_from_other_shards_is_not_watched(run: Path) -> None:
    config = replace(small(), run=str(run), predict=PredictConfig(widths=[32, 64, 96], points=2))
    predict(config)
    first = (run / "encode/manifest.json").read_text(encoding="utf-8")
    encoded_otherwise(run)
    assert load(transfer(config), [], TrainConfig, foreign("trainer")).pretrain.monitor.predicted == []
    why = f"{run}/predict/prediction.json was made on other shards than {run}/encode holds now; run `make predict` again"
    assert f"No foretold curve is watched: {why}." in carried(config)
    (run / "encode/manifest.json").write_text(first, encoding="utf-8")
    assert load(transfer(config), [], TrainConfig, foreign("trainer")).pretrain.monitor.predicted
    found = json.loads((run / "predict/prediction.json").read_text(encoding="utf-8"))
    del found["encode"]  # an older one
    (run / "predict/prediction.json").write_text(json.dumps(found), encoding="utf-8")
    assert "prediction.json does not say on which shards it was made" in carried(config)


def test_a_choice_from_other_shards_is_carried_and_that_is_said(run: Path) -> None:
    config = replace(small(), run=str(run), predict=PredictConfig(widths=[32, 64, 96], points=2))
    choice = {"combination": Combination.of(config).values(), "base_hidden": 64, "encode": shards(Run(str(run)))}
    (run / "search").mkdir()
    (run / "search/chosen.json").write_text(json.dumps(choice), encoding="utf-8")
    assert "shards" not in carried(config)
    assert not any("shards" in line for line in predict(config))
    encoded_otherwise(run)
    says = f"{run}/search/chosen.json, which was made on other shards than {run}/encode holds now"
    assert f"with the values of {says}," in carried(config)
    assert f"with the values of {says}:" in predict(config)


def real(folder: Path, steps: int, loss: Any, every: int = 1, **model: Any) -> Path:
    """A run of the target as training leaves it on its way: no manifest, its last line cut short."""
    shape = plain(replace(at_width(small(), 256).model, vocab=58, **model))
    (folder / "pretrain").mkdir(parents=True, exist_ok=True)
    (folder / "pretrain/model.json").write_text(json.dumps(shape), encoding="utf-8")
    rows = [{"step": n, "tokens": 4096 * n, "loss": loss(n), "grad_norm": 1.0} for n in range(1, steps + 1) if n % every == 0]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "pretrain/log.jsonl").write_text(text + '{"step": 99', encoding="utf-8")
    return folder


def test_foretold_beside_reached_at_every_place_that_a_run_in_training_has_come_to(run: Path, tmp_path: Path) -> None:
    wide = real(tmp_path / "wide", 140, lambda n: law(PARAMETERS, n) if n < 60 else 2.5)
    asked = PredictConfig(widths=[32, 64, 96, 128, 160], points=8, reached=str(wide))  # places every 25 steps, windows of 10
    said = "\n".join(predict(replace(small(), run=str(run), predict=asked)))
    found = json.loads((run / "predict/prediction.json").read_text())["reached"]
    assert found["run"] == str(wide) and found["tokens"] == 140 * 4096
    assert [place["tokens"] for place in found["places"]] == [4096 * n for n in (25, 50, 75, 100, 125)]
    expected = sum(law(PARAMETERS, n) for n in range(16, 26)) / 10  # the ten steps just before the place
    assert found["places"][0]["loss"] == pytest.approx(expected)
    assert [place["inside"] for place in found["places"]] == [True, True, False, False, False]
    assert "at 102,400 tokens: " in said and said.count("inside the interval") == 2 and said.count("2.5000 reached") == 3


def test_a_log_with_few_rows_is_compared_by_the_last_before_each_place(run: Path, tmp_path: Path) -> None:
    wide = real(tmp_path / "wide", 110, float, every=20)
    asked = PredictConfig(widths=[32, 64, 96, 128], points=4, reached=str(wide))
    predict(replace(small(), run=str(run), predict=asked))
    found = json.loads((run / "predict/prediction.json").read_text())["reached"]["places"]
    assert [place["loss"] for place in found] == [40.0, 100.0]


def test_only_a_run_of_the_target_is_compared(run: Path, tmp_path: Path) -> None:
    config = replace(small(), run=str(run))
    other, asked = real(tmp_path / "other", 50, float, layers=6), PredictConfig(widths=[32, 64, 96], points=2)
    with pytest.raises(ConfigError, match=r"other: trains another network \(model\.layers: 6, not 4\)"):
        predict(replace(config, predict=replace(asked, reached=str(other))))
    with pytest.raises(ConfigError, match="nothing was trained there"):
        predict(replace(config, predict=replace(asked, reached=str(tmp_path / "nowhere"))))
    assert not any("reached" in line for line in predict(replace(config, predict=asked)))
    real(run, 150, lambda n: 2.5, layers=6)  # this very run trains another network: that is no mistake
    assert not any("reached" in line for line in predict(replace(config, predict=asked)))


def test_a_run_on_other_terms_is_compared_and_that_is_said(run: Path, tmp_path: Path) -> None:
    wide = real(tmp_path / "wide", 150, lambda n: 2.5)
    config = small()
    begun_with(wide, replace(config, pretrain=replace(config.pretrain, batch=32)), run)
    said = "\n".join(
        predict(replace(config, run=str(run), predict=PredictConfig(widths=[32, 64, 96], points=2, reached=str(wide))))
    )
    assert "2.5000 reached" in said and "mind that run's pretrain.batch: 32, not 16" in said


def test_the_run_of_the_shards_is_compared_on_the_terms_it_was_trained_on_and_keeps_its_settings(run: Path) -> None:
    config = replace(small(), run=str(run))
    own = replace(config, pretrain=replace(config.pretrain, batch=32))
    real(run, 150, lambda n: 2.5)
    begun_with(run, own, run)
    (run / "config.yaml").write_text(yaml.safe_dump(plain(own)), encoding="utf-8")
    said = "\n".join(predict(replace(config, predict=PredictConfig(widths=[32, 64, 96], points=2))))
    assert "2.5000 reached" in said and said.count("mind that run's") == 1 and "pretrain.batch: 32, not 16" in said
    kept = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    assert kept["pretrain"]["batch"] == 32 and kept["predict"]["widths"] == [32, 64, 96]


def test_a_run_on_other_shards_is_compared_and_that_is_said(run: Path, tmp_path: Path) -> None:
    wide, config = real(tmp_path / "wide", 150, lambda n: 2.5), replace(small(), run=str(run))
    asked = replace(config, predict=PredictConfig(widths=[32, 64, 96], points=2, reached=str(wide)))
    begun_with(wide, config, run)
    assert not any("mind that run's" in line for line in predict(asked))
    encoded_otherwise(run)
    said = "\n".join(predict(asked))
    assert "2.5000 reached" in said and "mind that run's shards: 0.3 of Code, not other as where the curve was foretold" in said


def begun_with(run: Path, config: TrainConfig, encoded: Path) -> None:
    """What training on the shards of a run writes down when it begins."""
    settings = weights_depend_on(config, shards(Run(str(encoded))))
    Run(str(run)).stage("pretrain").begin("fingerprint", facts={"settings": settings})


def test_trials_that_a_search_brought_further_are_read_up_to_the_step_asked_for(run: Path) -> None:
    config = small()
    asked = PredictConfig(widths=[32, 64, 96], points=2, seeds=2)
    constant = replace(config.pretrain, schedule=ScheduleConfig(kind="constant"))
    config = replace(config, run=str(run), predict=asked, pretrain=constant)
    longer = trial(at_width(replace(config, pretrain=replace(constant, steps=2 * constant.steps)), 64), Run(str(run)))
    room.bring_to([longer], [2 * constant.steps], Run(str(run)), 1)
    assert any("foretold at" in line for line in predict(config))


def test_a_wider_model_that_is_worse_is_counted() -> None:
    def logs(*losses: float) -> list[list[Row]]:
        return [[Row(n + 1, n, loss, 1.0) for n, loss in enumerate(losses)]]

    (found,) = wider_is_worse({64: logs(3, 3, 2, 2), 32: logs(4, 4, 1.5, 1.5)}, window=2)
    assert found == {"narrow": 32, "wide": 64, "windows": 2, "worse": 1, "most": 0.5, "last": 0.5}


def test_another_width_keeps_heads_ratio_and_base() -> None:
    config = tiny(hidden=64, heads=4, kv_heads=2, ffn=176, base_hidden=None)
    made = at_width(config, 128).model
    assert (made.hidden, made.heads, made.kv_heads, made.ffn, made.base_hidden) == (128, 8, 4, 352, 64)
    assert made.head_dim == 16 and math.isclose(made.width_ratio, 2.0)
    with pytest.raises(ConfigError, match="72 is no multiple of 16"):
        at_width(config, 72)
    wide = at_width(tiny(hidden=64, heads=4, head_size=32), 128).model
    assert (wide.heads, wide.head_size) == (8, 32), "heads wider than hidden / heads stay so"


def test_every_seed_has_first_weights_of_its_own_on_the_same_data() -> None:
    config = tiny()
    weights = [build(seeded(config, number).model, config.seed).head.weight for number in range(3)]
    assert not any(torch.equal(one, other) for one, other in combinations(weights, 2))
    assert {seeded(config, number).seed for number in range(3)} == {config.seed}
    given = replace(config, model=replace(config.model, init_seed=config.seed + 1))
    assert len({seeded(given, number).model.init_seed for number in range(3)}) == 3


def test_what_cannot_be_foretold_is_refused(run: Path) -> None:
    config = replace(small(), run=str(run), predict=PredictConfig(widths=[32, 64]))
    with pytest.raises(ConfigError, match="needs three widths"):
        predict(config)
    with pytest.raises(ConfigError, match=r"transfer\.target is not set"):
        predict(replace(config, predict=PredictConfig(widths=[32, 64, 96]), transfer=TransferConfig()))
    with pytest.raises(ConfigError, match="rising hidden sizes"):
        PredictConfig(widths=[64, 32])
