"""Slots: each trial has devices and cores of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.config import ConfigError
from core.run import Run
from tests.trainer.tokens import write_encoded
from tests.trainer.worlds import tiny
from trainer.config import ParallelConfig
from trainer.launch import command
from trainer.search import trials


def test_on_gpus_each_slot_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3,4,5")
    one = trials.Trial(Path("x"), tiny(ParallelConfig(data=2, micro_batch=4)))
    seen = [trials._environment(one, slot, 2)["CUDA_VISIBLE_DEVICES"] for slot in range(2)]
    assert seen == ["2,3", "4,5"]
    with pytest.raises(ConfigError, match=r"search\.slots = 3: 3 x 2 ranks need more than the 4 devices here; use 2"):
        trials._environment(one, 0, 3)
    # What DeepSpeed is told: with --num_gpus it would forget the variable.
    started = command("pretrain", one.config.parallel, [], 1, {"CUDA_VISIBLE_DEVICES": seen[1]})
    assert "--include=localhost:4,5" in started and not any("num_gpus" in word for word in started)
    on_cpu = replace(one.config.parallel, device="cpu")
    assert "--num_gpus=2" in command("pretrain", on_cpu, [], 1, {"CUDA_VISIBLE_DEVICES": seen[1]})


def test_the_cores_of_a_host_are_shared_among_slots_and_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    assert trials._shared(ParallelConfig(data=2, micro_batch=4), slots=4).threads == 2
    assert trials._shared(ParallelConfig(threads=3), slots=4).threads == 3


def test_a_trial_is_named_by_what_its_weights_depend_on(tmp_path: Path) -> None:
    write_encoded(tmp_path)
    run, config = Run(str(tmp_path)), tiny()
    name = trials.trial(config, run).folder.name
    assert trials.trial(replace(config, parallel=ParallelConfig(micro_batch=2)), run).folder.name == name
    assert trials.trial(replace(config, seed=6), run).folder.name != name
    assert trials.trial(replace(config, model=replace(config.model, ffn=64)), run).folder.name != name
    made = trials.trial(config, run).config.pretrain
    assert made.schedule.length == made.steps == 20  # it falls as the whole run's does, wherever a rung stops it
