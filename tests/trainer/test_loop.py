"""Whole runs of one rank through `pretrain`: what a run goes on with, what it refuses, and what it writes down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.config import ConfigError
from core.run import Run
from tests.trainer import worlds
from tests.trainer.tokens import write_encoded
from trainer.config import ModelConfig, OptimizerConfig, ParallelConfig, PretrainConfig, ScheduleConfig, TrainConfig
from trainer.log import rows

CONTEXT = 32
SHAPE: dict[str, Any] = dict(layers=1, hidden=16, heads=2, ffn=32, context=CONTEXT, vocab_multiple=16, base_hidden=16)


def settings(run: Path, **pretrain: Any) -> TrainConfig:
    rates, schedule = OptimizerConfig(lr=6e-3, lr_matrix=6e-3), ScheduleConfig(unit="tokens", warmup=256)
    given = {"steps": 12, "batch": 4, "optimizer": rates, "schedule": schedule, "save_every": 4, "keep": 9, **pretrain}
    return TrainConfig(
        run=str(run),
        model=ModelConfig(**SHAPE),
        parallel=ParallelConfig(micro_batch=2, device="cpu", threads=1),
        pretrain=PretrainConfig(**{"validate_every": 0, "norms_every": 0, **given}),
    )


def train(configs: list[TrainConfig], end_after: int | None = None) -> dict[str, Any]:
    """Runs on the one rank, one after another: the sequences that each read and what was refused. With `end_after` a run is
    cut short once it has made that step, as a kill would."""
    import contextlib
    import io

    from trainer import pretrain as entry
    from trainer.loop import Loop
    from trainer.parallel.start import start

    read: list[list[int]] = []
    said = []
    batch, step = Loop._batch, Loop._train_step

    def watched(self: Loop, begin: int, count: int) -> Any:
        read[-1].extend(range(begin, begin + count))
        return batch(self, begin, count)

    def cut(self: Loop) -> dict[str, Any]:
        if end_after is not None and self.step == end_after:
            raise KeyboardInterrupt
        return step(self)

    Loop._batch, Loop._train_step = watched, cut  # type: ignore[method-assign]
    try:
        for config in configs:
            read.append([])
            with contextlib.redirect_stdout(io.StringIO()) as output:
                try:
                    entry.pretrain(config, start(config.parallel))
                except (ConfigError, RuntimeError) as error:
                    print(f"{type(error).__name__}: {error}")
                except KeyboardInterrupt:
                    print("cut short")
            said.append(output.getvalue())
    finally:
        Loop._batch, Loop._train_step = batch, step  # type: ignore[method-assign]
    return {"read": read, "said": said}


def one(*configs: TrainConfig, end_after: int | None = None) -> dict[str, Any]:
    made: dict[str, Any] = worlds.run(1, train, list(configs), end_after)
    return made


def log(run: Path) -> list[dict[str, Any]]:
    return [row for row in rows(run / "pretrain/log.jsonl") if "loss" in row]


def manifest(run: Path) -> dict[str, Any]:
    return Run(str(run)).stage("pretrain").require()


def test_a_run_goes_on_at_the_next_sequence_with_another_batch(tmp_path: Path) -> None:
    run = tmp_path / "run"
    write_encoded(run)
    begun = one(settings(run), end_after=9)  # ended in the middle of step 10; its checkpoint is of step 8
    assert begun["read"] == [list(range(36))]
    gone_on = one(settings(run, batch=8), settings(run, batch=8, keep=8))
    assert gone_on["read"][0] == list(range(32, 64)), "steps 9 to 12, of 8 each, after 32 sequences"
    made = log(run)
    assert [row["tokens"] // CONTEXT for row in made] == [*range(4, 33, 4), 40, 48, 56, 64]
    # The schedule is one of tokens, and its end stays where it was, at 12 steps of 4.
    whole = tmp_path / "whole"
    write_encoded(whole)
    one(settings(whole))
    rates = {row["tokens"]: row["lr"]["vector-like"] for row in log(whole)}
    shared = [row for row in made if row["tokens"] in rates]
    assert len(shared) == 10 and all(row["lr"]["vector-like"] == pytest.approx(rates[row["tokens"]]) for row in shared)
    # A run that has ended is not made again for what leaves its weights alone, and is for another batch.
    assert gone_on["read"][1] == []
    again = one(settings(run, batch=6))
    assert again["read"] == [list(range(72))]
    assert "begins anew, for pretrain.batch = 6, before 4; what was there is set aside as" in again["said"][0]
    assert len(list(run.glob("pretrain-*"))) == 1 and manifest(run)["tokens"] == 72 * CONTEXT


def test_a_run_made_longer_may_take_another_batch(tmp_path: Path) -> None:
    write_encoded(tmp_path)
    constant = ScheduleConfig(kind="constant")
    short = settings(tmp_path, schedule=constant, steps=4)
    longer = settings(tmp_path, schedule=constant, steps=6, batch=8)
    assert one(short, longer)["read"] == [list(range(16)), list(range(16, 32))]
    facts = manifest(tmp_path)
    assert facts["tokens"] == 32 * CONTEXT and facts["epochs"]["WebText"] == pytest.approx(0.3556, abs=1e-3)


def test_a_changed_setting_says_what_it_sets_aside(tmp_path: Path) -> None:
    write_encoded(tmp_path)
    other = settings(tmp_path, steps=2, optimizer=OptimizerConfig(lr=1e-3, lr_matrix=6e-3))
    said = one(settings(tmp_path, steps=2), other, settings(tmp_path, steps=2), other)["said"]
    assert "set aside" not in said[0]
    assert "pretrain: begins anew, for pretrain.optimizer.lr = 0.001, before 0.006; what was there is set aside as" in said[1]
    assert str(tmp_path / "pretrain-") in said[1]
    assert len(list(tmp_path.glob("pretrain-*"))) == 3, "the same settings may be left twice"
