"""Whole runs of one rank through `pretrain`: what a run goes on with, what it refuses, and what it writes down."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.config import ConfigError
from core.run import Run
from tests.trainer import worlds
from tests.trainer.tokens import write_encoded
from trainer.config import (
    GrowConfig,
    ModelConfig,
    MonitorConfig,
    OptimizerConfig,
    ParallelConfig,
    PretrainConfig,
    ScheduleConfig,
    TrainConfig,
)
from trainer.data import Blend, TokenData
from trainer.growth.grow import grow
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
    """Runs on the one rank, one after another: the sequences that each read, what it said or why it was refused, and its
    progress lines. With `end_after` a run is cut short once it has made that step, as a kill would."""
    import contextlib
    import io

    from core import progress
    from trainer import pretrain as entry
    from trainer.loop import Loop
    from trainer.parallel.engine import Batch
    from trainer.parallel.start import start
    from trainer.rank import Stopped

    progress._SECONDS_BETWEEN_LINES = 0.0
    read: list[list[int]] = []
    said, shown = [], []
    batch, step = Loop._batch, Loop._train_step

    def watched(self: Loop, start: int, count: int) -> Batch:
        read[-1].extend(range(start, start + count))
        return batch(self, start, count)

    def cut(self: Loop) -> dict[str, Any]:
        if end_after is not None and self.step == end_after:
            raise KeyboardInterrupt
        return step(self)

    Loop._batch, Loop._train_step = watched, cut  # type: ignore[method-assign]
    try:
        for config in configs:
            read.append([])
            output, lines = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(lines):
                try:
                    entry.pretrain(config, start(config.parallel))
                except (ConfigError, Stopped) as error:
                    print(f"{type(error).__name__}: {error}")
                except KeyboardInterrupt:
                    print("cut short")
            said.append(output.getvalue())
            shown.append(lines.getvalue())
    finally:
        Loop._batch, Loop._train_step = batch, step  # type: ignore[method-assign]
    return {"read": read, "said": said, "shown": shown}


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


def test_a_grown_run_is_compared_with_what_was_grown_and_kept(tmp_path: Path) -> None:
    small, run = tmp_path / "small", tmp_path / "run"
    write_encoded(small)
    one(settings(small, steps=8))
    begun = settings(run, batch=8)
    grown = replace(
        begun,
        model=ModelConfig(**{**SHAPE, "layers": 2, "output_mult": 0.5}),
        grow=GrowConfig(source=str(small), mask_steps=2, warmup=1, layers="stack"),
        pretrain=replace(begun.pretrain, ramp=[[8, 4]]),
    )
    grow(grown)
    other = replace(grown, model=replace(grown.model, output_mult=1.0, init_std=0.5, kv_heads=2))
    faster = replace(grown, pretrain=replace(grown.pretrain, optimizer=OptimizerConfig(lr=1e-2, lr_matrix=6e-3)))
    refused = one(other)
    assert "step-00000008: is of another network: model.output_mult = 1.0, there 0.5; give" in refused["said"][0]
    made = one(grown, faster)  # nothing had trained on it, so the start that was refused is forgotten
    assert made["read"] == [list(range(32, 64)), []]
    assert (
        "which would begin without it, for pretrain.optimizer.lr = 0.01, before 0.006; take the change back" in made["said"][1]
    )
    assert not list(run.glob("pretrain-*")) and (run / "pretrain/manifest.json").exists()
    # What the small network took is no part of the grown one's speed.
    facts = manifest(run)
    assert facts["tokens"] == 64 * CONTEXT
    assert facts["tokens_per_second"] * facts["training_seconds"] == pytest.approx(32 * CONTEXT, rel=0.1)
    steps = log(run)
    rate = len(steps) / sum(1 / row["mfu"] for row in steps)  # all steps are of one size
    assert facts["mfu"] == pytest.approx(rate, rel=0.01) and facts["goodput"] < 1.0


def test_what_a_run_writes_down(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    write_encoded(tmp_path)
    monitor = MonitorConfig(window=8, spike=0.01, policy="skip")
    config = settings(
        tmp_path, monitor=monitor, norms_every=1, validate_every=6, validate_sequences=0,
        optimizer=OptimizerConfig(lr=1e-5, lr_matrix=1e-5), ramp=[[2, 2]],
    )  # fmt: skip
    made = one(config)
    facts, steps = manifest(tmp_path), log(tmp_path)
    assert [row["step"] for row in steps] == list(range(1, 13))

    # Under `skip` a spike in both leaves the weights alone, and is said.
    skipped = {row["step"] for row in steps if row.get("skipped")}
    events = [row for row in rows(tmp_path / "pretrain/log.jsonl") if "event" in row]
    assert skipped and skipped == {row["step"] for row in events if row["event"] == "spike"}
    assert all("the step is skipped" in row["message"] for row in events if row["event"] == "spike")
    for row in steps:
        assert row["weight_norm"].keys() == row["update_norm"].keys() == row["lr"].keys()
        still = row["step"] in skipped
        assert all((norm == 0.0) == still for norm in row["update_norm"].values()), row["step"]
        assert all(row["weight_norm"][kind] > 100 * norm for kind, norm in row["update_norm"].items())

    # Speed: formula and peak as the log's first row has them; memory of this process; time left to the last step.
    about = next(row["utilisation"] for row in rows(tmp_path / "pretrain/log.jsonl") if "utilisation" in row)
    for row in steps:
        assert row["tflops"] == pytest.approx(row["tokens_per_second"] * about["flops_per_token"] / 1e12)
        assert row["mfu"] == pytest.approx(row["tflops"] / about["peak_tflops"]) and 0.05 < row["memory_gb"] < 64
    assert steps[0]["seconds_left"] > 0 and steps[-1]["seconds_left"] == 0
    assert facts["epochs"]["WebText"] == pytest.approx(31 * CONTEXT / train_tokens(tmp_path, "WebText"), rel=0.01)

    # Validation: all held-out text, in nats a token and in bits a byte.
    checked = [row for row in rows(tmp_path / "pretrain/log.jsonl") if "validation" in row]
    assert [row["step"] for row in checked] == [6, 12] and checked[-1]["validation"] == facts["validation"]
    for domain, score in facts["validation"].items():
        held = next(shard for shard in shards(tmp_path) if shard["domain"] == domain and shard["split"] == "validation")
        assert score["tokens"] == held["tokens"]
        assert score["bpb"] == pytest.approx(score["loss"] * held["tokens"] / math.log(2) / held["utf8_bytes"])

    # The same in TensorBoard, and a line for a person.
    board = EventAccumulator(str(tmp_path / "pretrain/tensorboard"))
    board.Reload()
    losses = board.Scalars("loss")
    assert [point.step for point in losses] == list(range(1, 13))
    assert [point.value for point in losses] == pytest.approx([row["loss"] for row in steps])
    wanted = {"grad_norm", "lr/vector-like", "domains/Code", "weight_norm/matrix-like", "update_norm/matrix-like"}
    assert wanted | {"validation/Code/bpb", "mfu", "seconds_left"} <= set(board.Tags()["scalars"])
    assert f"loss {steps[-1]['loss']:.3f}, gradient norm {steps[-1]['grad_norm']:.2f}, " in made["shown"][0]
    assert "pretrain: 12/12 step" in made["shown"][0]


def test_a_spike_in_both_stops_the_run_where_asked_and_a_loss_off_its_curve_is_said(tmp_path: Path) -> None:
    still = OptimizerConfig(lr=1e-5, lr_matrix=1e-5)
    off = MonitorConfig(window=8, predicted=[[10 * 4 * CONTEXT, 1.0], [1e6, 0.5]], interval=0.1)
    curve = settings(tmp_path / "curve", steps=20, optimizer=still, monitor=off)
    spike = settings(tmp_path / "spike", optimizer=still, monitor=MonitorConfig(window=8, spike=0.01, policy="stop"))
    for config in (curve, spike):
        write_encoded(Path(config.run))
    said = one(curve, spike)["said"]

    # The curve begins at step 10, so its first window of eight is full at step 17; the run goes on.
    (event,) = [row for row in rows(tmp_path / "curve/pretrain/log.jsonl") if row.get("event") == "off_curve"]
    assert event["step"] == 17 and "above its predicted curve for 8 steps; restart" in event["message"]
    assert event["message"] in said[0] and manifest(tmp_path / "curve")["steps"] == 20

    (event,) = [row for row in rows(tmp_path / "spike/pretrain/log.jsonl") if row.get("event") == "spike"]
    last = log(tmp_path / "spike")[-1]
    assert last["step"] == event["step"] < 12 and not (tmp_path / "spike/pretrain/manifest.json").exists()
    assert f"Stopped: {event['message']} The step's data are sequences " in said[1]
    facts = json.loads((tmp_path / "spike/pretrain/stopped.json").read_text(encoding="utf-8"))
    assert facts["step"] == last["step"] and facts["loss"] == last["loss"] and facts["checkpoint"] == 4
    assert facts["monitor"]["losses"] and facts["loss"] > sum(facts["monitor"]["losses"]) / len(facts["monitor"]["losses"])


def test_validation_is_the_same_with_a_training_steps_micro_batches_at_once_as_with_one(tmp_path: Path) -> None:
    still = OptimizerConfig(lr=1e-12, lr_matrix=1e-12)
    found = []
    for batch in (2, 6):  # one micro-batch at once, and three, of which the last windows fill one
        run = tmp_path / str(batch)
        write_encoded(run)
        one(settings(run, steps=1, batch=batch, optimizer=still, validate_sequences=0))
        found.append(manifest(run)["validation"])
    for domain, score in found[0].items():
        assert score["tokens"] > 6 * CONTEXT and score["tokens"] == found[1][domain]["tokens"]
        assert score["loss"] == pytest.approx(found[1][domain]["loss"], rel=1e-6)


def test_a_run_beyond_the_epochs_of_its_mix_says_so_and_marks_where(tmp_path: Path) -> None:
    write_encoded(tmp_path, documents=12)
    said = one(settings(tmp_path, steps=8, optimizer=OptimizerConfig(lr=1e30)), settings(tmp_path, steps=8))["said"]
    assert "Stopped: step" in said[0] and "not a number" in said[0]
    assert "by step 8 the run will have gone beyond the epochs of its mix: WebText" in said[1]
    (mark,) = [row for row in rows(tmp_path / "pretrain/log.jsonl") if row.get("event") == "epochs"]
    blend = Blend(TokenData.read(str(tmp_path / "encode")), CONTEXT, 1)
    assert mark["step"] == next(step for step in range(1, 9) if blend.beyond(4 * step))
    assert "from here on the run is beyond the epochs of its mix: WebText 1." in mark["message"]
    # A run that stopped itself has lost none of what it had for TensorBoard.
    (stopped,) = tmp_path.glob("pretrain-*")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(stopped / "tensorboard"))
    board.Reload()
    assert [point.step for point in board.Scalars("loss")] == [
        row["step"] for row in rows(stopped / "log.jsonl") if "loss" in row
    ]


def shards(run: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Run(str(run)).stage("encode").require()["shards"]
    return found


def train_tokens(run: Path, domain: str) -> int:
    return sum(shard["tokens"] for shard in shards(run) if shard["domain"] == domain and shard["split"] == "train")
