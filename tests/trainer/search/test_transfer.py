"""Values found on a proxy, carried to another width: the report's Table 4, and a pair worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from core import storage
from core.config import ConfigError, load
from core.line import foreign
from tests.trainer.worlds import ROOT, tiny
from trainer.config import TrainConfig, TransferConfig
from trainer.search.combination import Combination
from trainer.search.transfer import carry, doubts, effective, transfer

TABLE_4 = {
    "Learning Rate": 1.5e-4,
    "Matrix Learning Rate": 1.5e-4,
    "Minimum Learning Rate": 1.5e-5,
    "Standard Deviation": 4e-3,
    "Matrix Standard Deviation": 4.242e-3,
    "Input Mult": 1.0,
    "Output Mult": 3.125e-2,
}
PROXY = {"lr": 1.5e-4, "lr_matrix": 2.4e-3, "min_lr": 1.5e-5, "init_std": 4e-3, "init_std_matrix": 1.69706e-2}


def settings(name: str) -> TrainConfig:
    return load(ROOT / f"configs/{name}.yaml", [], TrainConfig, foreign("trainer"))


def test_the_proxys_values_give_the_reports_table_4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    config = settings("search/tele-flm")
    # A proxy whose own values are others: what is carried is the combination.
    config = Combination.of(config).but({"lr": 1e-3, "init_std": 0.1, "output_mult": 7.0}).laid_on(config)
    given = {**PROXY, "input_mult": 1.0, "output_mult": 0.5}
    config = replace(config, run=str(tmp_path), transfer=replace(config.transfer, combination=given))
    path = Path(transfer(config))
    made = load(path, [], TrainConfig, foreign("trainer"))
    found = effective(made)
    for name, printed in TABLE_4.items():
        assert found[name] == pytest.approx(printed, rel=2e-4), name
    assert found["Minimum Matrix Learning Rate"] == pytest.approx(1.5e-5)
    written = json.loads((tmp_path / "transfer/effective.json").read_text())
    assert written["effective"] == found and written["m"] == 16
    assert "Matrix Standard Deviation      0.00424265" in path.read_text()
    # Everything else is the target's own, so the file trains as it stands.
    target = settings("models/tele-flm-52b")
    assert made.parallel == target.parallel and made.pretrain.steps == 363_305 and made.model.layers == 64
    assert replace(made, run="") == replace(target, run="")


def test_an_invented_pair_by_hand() -> None:
    """From width 96 at base 48 to width 240: m = 5, so 0.02 / 5, 0.3 / sqrt 5 and 1.5 / 5."""
    proxy = tiny(hidden=96, heads=4, base_hidden=48)
    target = tiny(hidden=240, heads=10, base_hidden=None, output_mult=9.0)
    values = Combination(0.01, 0.02, 0.002, 0.07, 0.3, 3.0, 1.5)
    made = carry(values, proxy, target)
    assert effective(made) == {
        "Learning Rate": 0.01,
        "Matrix Learning Rate": pytest.approx(0.004),
        "Minimum Learning Rate": pytest.approx(0.002),
        "Minimum Matrix Learning Rate": pytest.approx(0.0008),
        "Standard Deviation": 0.07,
        "Matrix Standard Deviation": pytest.approx(0.1341640786),
        "Input Mult": 3.0,
        "Output Mult": pytest.approx(0.3),
    }
    assert Combination.of(made) == replace(values, min_lr=pytest.approx(0.002))  # type: ignore[arg-type]


def test_a_proxy_without_a_base_is_its_own() -> None:
    proxy, target = tiny(base_hidden=None), tiny(hidden=64, base_hidden=16)
    made = carry(Combination.of(proxy), proxy, target)
    assert made.model.base_hidden == 32 and made.model.width_ratio == 2


def test_what_mup_does_not_carry_over_is_said() -> None:
    proxy, target = tiny(), tiny(layers=3, hidden=64)
    said = doubts(proxy, target)
    assert any("model.layers: 2 in the proxy, 3 in the target" in line for line in said)
    longer = replace(target, pretrain=replace(target.pretrain, steps=40, schedule=replace(target.pretrain.schedule, warmup=5)))
    assert not any("schedule" in line for line in said)
    assert [line for line in doubts(proxy, longer) if "schedule" in line] == [
        "pretrain.schedule.warmup: 0 in the proxy, 5 in the target",
        "pretrain.schedule.length: 20 in the proxy, 40 in the target",
    ]
    assert any("hidden / heads: 8 in the proxy, 16 in the target" in line for line in said)
    with pytest.raises(ConfigError, match=r"model\.tied = False in the proxy, True in the target"):
        carry(Combination.of(proxy), proxy, tiny(tied=True))


def test_the_choice_of_a_search_is_taken_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    values = Combination(0.01, 0.02, 0.002, 0.07, 0.3, 3.0, 1.5)
    (tmp_path / "search").mkdir()
    chosen = tmp_path / "search/chosen.json"
    chosen.write_text(json.dumps({"combination": values.values(), "base_hidden": 64}), encoding="utf-8")
    config = replace(settings("search/small"), run=str(tmp_path))
    made = load(transfer(config), [], TrainConfig, foreign("trainer"))
    assert made.model.output_mult == 1.5 and made.pretrain.optimizer.lr_matrix == 0.02
    config = replace(config, transfer=replace(config.transfer, combination={"output_mult": 4.0}))
    made = load(transfer(config), [], TrainConfig, foreign("trainer"))
    assert made.model.output_mult == 4.0 and made.pretrain.optimizer.lr_matrix == 0.02


def test_values_found_at_another_base_width_are_not_carried_unnoticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    values = Combination(0.01, 0.02, 0.002, 0.07, 0.3, 3.0, 1.5)
    (tmp_path / "search").mkdir()
    found = {"combination": values.values(), "base_hidden": 128}
    (tmp_path / "search/chosen.json").write_text(json.dumps(found), encoding="utf-8")
    config = replace(settings("search/small"), run=str(tmp_path))
    with pytest.raises(ConfigError, match="chose its values at width 128, this config's stand at 64"):
        transfer(config)
    whole = replace(config, transfer=replace(config.transfer, combination=values.values()))
    assert load(transfer(whole), [], TrainConfig, foreign("trainer")).model.output_mult == 1.5  # nothing is taken from there


def test_the_targets_other_sections_come_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    target = {
        "extends": str(ROOT / "configs/search/small-target.yaml"),
        "evaluate": {"stride": 128},
        "export": {"form": "llama"},
    }
    (tmp_path / "target.yaml").write_text(yaml.safe_dump({**target, "grow": {"mask_steps": 7}}), encoding="utf-8")
    config = replace(settings("search/small"), run=str(tmp_path))
    config = replace(config, transfer=replace(config.transfer, target=str(tmp_path / "target.yaml")))
    made = load(transfer(config), [], TrainConfig, foreign("trainer"))
    assert made.evaluate.stride == 128 and made.export.form == "llama" and made.grow.mask_steps == 7


def test_a_config_written_to_an_object_store_is_named_by_its_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    uri = transfer(replace(settings("search/small"), run="memory://bucket/run"))
    assert uri == "memory://bucket/run/transfer/config.yaml" and "output_mult" in storage.read_text(uri)


def test_a_learning_rate_takes_its_minimum_with_it() -> None:
    values = Combination(0.01, 0.02, 0.002, 0.07, 0.3, 3.0, 1.5)
    assert values.but({"lr": 0.02}).min_lr == pytest.approx(0.004)
    assert values.but({"lr": 0.02, "min_lr": 0.002}).min_lr == 0.002
    with pytest.raises(ConfigError, match="min_lr = 0.1 is above lr = 0.01"):
        values.but({"min_lr": 0.1})
    with pytest.raises(ConfigError, match="'depth' is none of the seven"):
        TransferConfig(combination={"depth": 2.0})
