"""Scores the checkpoints of a run while it goes on: RUN/evolution/step-N.json, for the report's Figures 3 and 4.

A process of its own beside training, so that training waits for nothing. A checkpoint is scored once; a second call goes on
with those that are new.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from core import storage
from core.config import ConfigError
from core.run import Run
from core.storage import local_path
from trainer.checkpoint import Checkpoint, CheckpointError, folder_name, steps_in
from trainer.config import TrainConfig
from trainer.data.token_data import TokenDataError
from trainer.evaluate.benchmarks.score import check_folder, score
from trainer.evaluate.benchmarks.stage import own_ids, reader_of
from trainer.evaluate.beside import check
from trainer.evaluate.config import BesideConfig
from trainer.evaluate.place import Place
from trainer.evaluate.stage import measured
from trainer.export.generate import in_memory
from trainer.growth.record import unfinished
from trainer.log import rows
from trainer.plan import parameters

EVOLUTION = "evolution"


def due(steps: Sequence[int], every: int, save_every: int, last: int) -> list[int]:
    """The steps to score: of those that training saves at, every how many-th, and its last."""
    return [step for step in steps if step == last or not save_every or step // save_every % every == 0]


def follow(config: TrainConfig, over: Callable[[], bool]) -> list[int]:
    """Scores checkpoints as they appear, until training is `over` and all that are there and due have scores.

    Returns the steps that were scored. Raises ConfigError where files are missing or held-out text cannot be read.
    """
    check_folder(replace(config.benchmark, names=config.benchmark.follow.names))
    run = Run(config.run)
    run.stage("encode").require()
    check(_beside(config, run, run.training()), Place.of("evaluate", config.evaluate))
    done: list[int] = []
    passed: set[tuple[str | None, int]] = set()
    while True:
        last = over()  # asked before looking, or a checkpoint saved in between would be missed
        training = run.training()
        for step in (step for step in _waiting(config, run, training) if (training, step) not in passed):
            row = _scored(config, run, step, training)
            if run.training() != training:  # its folder was moved aside meanwhile: whose weights were read is not known
                last = False
                break
            if row is None:
                passed.add((training, step))
                continue
            storage.write_json(_place(run, step), row)
            done.append(step)
            print(f"evolution: step {step:,}, loss {row['loss']:.3f}, BPB {row['bpb']:.3f}", file=sys.stderr)
        if last:
            if lost := [step for step in _lost(config, run, training) if (training, step) not in passed]:
                said = f"evolution: no scores of step {', '.join(map(str, lost))}, whose checkpoints training removed before; "
                print(said + "keep more of them (pretrain.keep) or score fewer (benchmark.follow.every).", file=sys.stderr)
            return done
        time.sleep(config.benchmark.follow.wait)


def _waiting(config: TrainConfig, run: Run, training: str | None) -> list[int]:
    """Checkpoints that are due and have no scores."""
    steps = steps_in(run.stage("pretrain").path("checkpoints"))
    chosen = due(steps, config.benchmark.follow.every, config.pretrain.save_every, config.pretrain.steps)
    return [step for step in chosen if not _has_scores(run, step, training)]


def _lost(config: TrainConfig, run: Run, training: str | None) -> list[int]:
    """Checkpoints that were due by the training log, are gone and have no scores."""
    folder, log = run.stage("pretrain"), Path(local_path(run.stage("pretrain").path("log.jsonl")))
    saved = [row["step"] for row in rows(log) if "checkpoint_seconds" in row]
    chosen = due(saved, config.benchmark.follow.every, config.pretrain.save_every, config.pretrain.steps)
    there = steps_in(folder.path("checkpoints"))
    return [step for step in chosen if step not in there and not _has_scores(run, step, training)]


def _has_scores(run: Run, step: int, training: str | None) -> bool:
    """Those of another training in the same folder do not count."""
    return storage.exists(place := _place(run, step)) and bool(storage.read_json(place)["training"] == training)


def _place(run: Run, step: int) -> str:
    return run.stage(EVOLUTION).path(f"{folder_name(step)}.json")


def _beside(config: TrainConfig, run: Run, training: str | None) -> dict[str, BesideConfig]:
    """The models beside ours, unless a checkpoint's scores hold them: they do not change from one to the next."""
    places = [info.uri for info in storage.listing(run.stage(EVOLUTION).path("step-*.json"))]
    rows = [storage.read_json(place) for place in places]
    known = {name for row in rows if row["training"] == training for name in row.get("beside", {})}
    return {} if known >= set(config.evaluate.beside) else config.evaluate.beside


def _scored(config: TrainConfig, run: Run, step: int, training: str | None) -> dict[str, Any] | None:
    """Loss and BPB of held-out text, and the benchmarks; None where training has removed the checkpoint meanwhile, or it
    is still growing."""
    asked, folder = config.benchmark.follow, run.stage("pretrain").path("checkpoints", folder_name(step))
    settings = replace(config.evaluate, checkpoint=folder_name(step), tokens=asked.tokens)
    own = replace(config, evaluate=replace(settings, beside=_beside(config, run, training)))
    try:
        checkpoint = Checkpoint.open(folder)
        if unfinished(checkpoint) is not None:
            print(f"evolution: {folder} is in the midst of growing, no exported form says that; passed over.", file=sys.stderr)
            return None
        facts = measured(own, run)  # before there is a second network
        Place.of("benchmark", config.benchmark).check(parameters(checkpoint.model), folder)
        model = in_memory(checkpoint)
    except (CheckpointError, FileNotFoundError) as error:
        print(f"evolution: {folder} is gone or not whole, it is passed over ({error}).", file=sys.stderr)
        return None
    except TokenDataError as error:  # of the shards, which are the same at the next checkpoint
        raise ConfigError(str(error)) from error
    tokenizer: Any = AutoTokenizer.from_pretrained(run.stage("train_tokenizer").uri)
    reader = reader_of(model, tokenizer, *own_ids(tokenizer, config.benchmark), config.benchmark, config.seed)
    scores = score(reader, replace(config.benchmark, limit=asked.limit, limits={}), config.seed, asked.names)
    rows = facts["bpb"].values()
    tokens, size = sum(row["tokens"] for row in rows), sum(row["utf8_bytes"] for row in rows)
    return {
        "training": training,
        "step": step,
        "tokens": checkpoint.state.get("tokens"),
        "loss": sum(row["loss"] * row["tokens"] for row in rows) / tokens,
        "bpb": sum(row["bpb"] * row["utf8_bytes"] for row in rows) / size,
        "domains": {domain: {"loss": row["loss"], "bpb": row["bpb"]} for domain, row in facts["bpb"].items()},
        "tables": facts["tables"],
        "beside": facts["beside"],
        "benchmarks": {name: asdict(found) for name, found in scores.items()},
    }
