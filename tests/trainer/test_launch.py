"""The launcher's command, and whole runs started by it."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from core.config import ConfigError
from tests.trainer.launched import assert_same_curve, losses, manifest, ranks_of, start
from tests.trainer.tokens import write_config, write_encoded
from trainer.checkpoint import newest
from trainer.config import ModelConfig, ParallelConfig, TrainConfig
from trainer.launch import check, check_run, command, environment, slots
from trainer.log import rows


def test_the_command_is_what_a_user_would_type() -> None:
    made = command("pretrain", ParallelConfig(tensor=2, data=2), ["--config", "a.yaml", "run=r"], 29500, {})
    assert made[0].endswith("deepspeed") and "--num_gpus=4" in made and "--master_port=29500" in made
    assert made[-4].endswith("jobs/pretrain.py") and made[-3:] == ["--config", "a.yaml", "run=r"]


def test_cores_are_shared_among_ranks() -> None:
    env = environment(ParallelConfig(device="cpu"), local_ranks=10_000, inherited={"PATH": "/bin"})
    assert env["OMP_NUM_THREADS"] == "1" and env["DS_ACCELERATOR"] == "cpu" and env["PATH"] == "/bin"
    assert environment(ParallelConfig(threads=7), 2, {})["OMP_NUM_THREADS"] == "7"


def test_a_hostfile_must_have_as_many_slots_as_ranks(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("# two nodes\nnode1 slots=2\nnode2 slots=2\n", encoding="utf-8")
    assert slots(str(hosts)) == {"node1": 2, "node2": 2}
    parallel = ParallelConfig(tensor=2, data=2, hostfile=str(hosts))
    made = command("pretrain", parallel, [], 1, {"NODE_RANK": "1", "MASTER_ADDR": "node1", "MASTER_PORT": "29"})
    assert {f"--hostfile={hosts}", "--no_ssh", "--node_rank=1", "--master_addr=node1", "--master_port=29"} <= set(made)
    with pytest.raises(ConfigError, match=r"has 4 slots, tensor x pipeline x data needs 2"):
        command("pretrain", ParallelConfig(tensor=2, hostfile=str(hosts)), [], 1, {})
    hosts.write_text("node1 slots=6\nnode2 slots=6\n", encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"tensor = 4 does not divide the slots of node1 \(6\), node2 \(6\) .* lie on two nodes"
    ):
        command("pretrain", ParallelConfig(tensor=4, data=3, hostfile=str(hosts)), [], 1, {})
    hosts.write_text("node1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 1: 'node1' is not of the form `host slots=8`"):
        slots(str(hosts))


def test_a_run_without_shards_is_refused_before_ranks_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the stage 'encode' is not done"):
        check_run(TrainConfig(run=str(tmp_path)))
    with pytest.raises(ConfigError, match="need a file system that every node has mounted"):
        check_run(TrainConfig(run="s3://bucket/run"))


def test_a_model_without_room_for_the_tokenizer_is_refused_before_ranks_start(tmp_path: Path) -> None:
    write_encoded(tmp_path)  # with 58 tokens
    check(TrainConfig(run=str(tmp_path), parallel=ParallelConfig(tensor=2)))
    with pytest.raises(ConfigError, match=r"tensor = 4 does not divide the padded vocabulary of 58; make .* of 4"):
        check(TrainConfig(run=str(tmp_path), model=ModelConfig(vocab_multiple=1), parallel=ParallelConfig(tensor=4)))
    with pytest.raises(ConfigError, match=r"model\.vocab = 40 is smaller than the tokenizer's 58; leave it null"):
        check(TrainConfig(run=str(tmp_path), model=ModelConfig(vocab=40, vocab_multiple=8)))


def test_without_what_reaches_the_other_nodes_a_hostfile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_encoded(tmp_path)
    hosts, tools = tmp_path / "hosts", tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.delenv("NODE_RANK", raising=False)
    config = TrainConfig(run=str(tmp_path), parallel=ParallelConfig(data=2, hostfile=str(hosts)))

    def missing(name: str, *lines: str) -> None:
        hosts.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        with pytest.raises(ConfigError, match=rf"hosts: .* this host has {name}; .* on every node with NODE_RANK, MASTER_ADDR"):
            check(config)

    missing("no ssh and no pdsh", "node1 slots=1", "node2 slots=1")
    (tools / "ssh").touch(mode=0o755)
    missing("no pdsh", "node1 slots=1", "node2 slots=1")
    missing("no pdsh", "localhost slots=1", "node2 slots=1")
    hosts.write_text("localhost slots=2\n", encoding="utf-8")
    check(config)
    hosts.write_text("node1 slots=2\n", encoding="utf-8")
    monkeypatch.setenv("NODE_RANK", "0")
    check(config)


def test_a_run_trains_stops_and_goes_on_in_another_layout(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config, run = write_config(tmp_path / "run.yaml"), tmp_path / "run"
    write_encoded(run)
    assert start(config, run) == 0
    facts, curve = manifest(run), losses(run)
    assert facts["steps"] == 24 and facts["checkpoint"] == "checkpoints/step-00000024"
    assert facts["last_loss"] < facts["first_loss"] - 0.7 and facts["tokens_per_second"] > 0
    assert all(score["loss"] < facts["first_loss"] for score in facts["validation"].values())
    assert list((run / "pretrain/tensorboard").iterdir())
    used, first = facts["utilisation"], next(row for row in rows(run / "pretrain/log.jsonl") if "mfu" in row)
    assert "12 layers" in used["formula"] and used["peak_tflops"] > 0 and "measured" in used["peak_source"]
    assert first["mfu"] == pytest.approx(
        used["flops_per_token"] * first["tokens_per_second"] / 2 / 1e12 / used["peak_tflops"], rel=0.01
    )
    assert first["seconds_left"] > 0 and facts["checkpoints"]["written"] == 3 and facts["checkpoints"]["share_of_time"] > 0

    # As if the run had been killed before its end, and its last checkpoint had been damaged since.
    (run / "pretrain/manifest.json").unlink()
    (run / "pretrain/checkpoints/step-00000024/consolidated/head.safetensors").write_bytes(b"")
    assert start(config, run, "parallel.data=1", "parallel.pipeline=2", "parallel.micro_batch=2") == 0
    said = capfd.readouterr().out
    assert "step-00000024/consolidated/head.safetensors" in said and "goes on from step-00000016" in said
    assert manifest(run)["restarts"] == 1 and manifest(run)["first_loss"] == pytest.approx(facts["first_loss"])
    assert_same_curve(losses(run), curve)

    assert start(config, run, "parallel.data=1") == 0  # done already, whatever the layout: no rank is started
    assert "up to date" in capfd.readouterr().err


@pytest.mark.slow
def test_a_run_killed_five_times_that_ends_in_another_layout_is_the_run_that_was_not(tmp_path: Path) -> None:
    """Four times it is started again by itself; after the fifth a person starts it, with stages in place of copies."""
    config = write_config(tmp_path / "run.yaml", steps=150, save_every=5, validate_every=0)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for run in (whole, killed):
        write_encoded(run)
    assert start(config, whole) == 0
    draw, kills = random.Random(2), 0
    ended = threading.Event()

    def kill_now_and_then() -> None:
        nonlocal kills
        while kills < 5 and not ended.is_set():
            reached = newest(killed / "pretrain/checkpoints", damaged=lambda message: None)
            if reached is None or reached.step < 20 * (kills + 1):
                time.sleep(0.05)
                continue
            time.sleep(draw.random() * 0.3)
            if ranks := ranks_of(killed):
                os.kill(draw.choice(ranks), signal.SIGKILL)
                kills += 1
                time.sleep(3.0)

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    try:
        assert start(config, killed, "parallel.restarts=4") not in (0, 2, 3)
    finally:
        ended.set()
        killer.join()
    assert kills == 5 and not (killed / "pretrain/manifest.json").exists()
    assert start(config, killed, "parallel.data=1", "parallel.pipeline=2") == 0
    facts = manifest(killed)
    assert facts["restarts"] == 5 and 0.0 < facts["goodput"] < 1.0
    assert_same_curve(losses(killed), losses(whole))


@pytest.mark.slow
def test_another_mix_is_refused_on_the_way_marked_where_meant_and_begins_anew_after_the_end(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config, run = write_config(tmp_path / "run.yaml"), tmp_path / "run"
    write_encoded(run)
    assert start(config, run) == 0
    (run / "pretrain/manifest.json").unlink()  # as if it had been killed after step 16
    shutil.rmtree(run / "pretrain/checkpoints/step-00000024")
    first = {step: pair for step, pair in losses(run).items() if step <= 16}
    write_encoded(run, code=0.6)
    assert start(config, run) == 2
    assert "pretrain.allow_new_mix=true if the change is meant" in capfd.readouterr().err
    assert start(config, run, "pretrain.allow_new_mix=true") == 0
    assert {step: pair for step, pair in losses(run).items() if step <= 16} == first
    marks = [row for row in rows(run / "pretrain/log.jsonl") if row.get("event") == "new_mix"]
    assert [mark["step"] for mark in marks] == [16]
    assert manifest(run)["steps"] == 24

    write_encoded(run, code=0.4)
    assert start(config, run) == 0
    assert losses(run)[1] != first[1] and not any(row.get("event") == "new_mix" for row in rows(run / "pretrain/log.jsonl"))
    assert len(list(run.glob("pretrain-*"))) == 1, "the run before it was set aside"


@pytest.mark.slow
def test_what_is_not_a_number_stops_the_run_with_what_is_needed_to_look_into_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config, run = write_config(tmp_path / "run.yaml", optimizer={"lr": 1e30, "clip": 0.0}), tmp_path / "run"
    write_encoded(run)
    assert start(config, run, "parallel.restarts=3", "pretrain.save_every=1") == 3, "another start would not mend it"
    said = capfd.readouterr().err
    assert "not a number" in said and "started again" not in said
    facts = json.loads((run / "pretrain/stopped.json").read_text(encoding="utf-8"))
    step = facts["step"]
    assert facts["sequences"] == [4 * (step - 1), 4 * step - 1] and facts["checkpoint"] == step - 1
    assert facts["mix"] in said and set(facts["domains"]) <= {"WebText", "Code"} and facts["lr"]["vector-like"] > 1e28
    assert len(facts["monitor"]["losses"]) == step - 1
