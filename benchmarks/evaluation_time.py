"""Wall time of the whole evaluation of one checkpoint: held-out text, then each benchmark of a cut over the export.

Needs a run with an export and the benchmarks' files; the cut is that of a config. The default, configs/evaluation/small.yaml,
has twelve of the thirteen: HumanEval runs programs, which is done only with benchmark.code.run=true.
On a machine with more cores, `taskset -c 0,1` keeps it to two. Each line gives seconds, and how many items they went to.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.config import build_sections, override, read_yaml
from core.line import foreign
from core.run import Run
from trainer.config import TrainConfig

_CUT = Path(__file__).resolve().parent.parent / "configs" / "evaluation" / "small.yaml"


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="evaluation-time", description=__doc__)
    parser.add_argument("--run", default="runs/demo", help="a run with shards, a checkpoint and an export")
    parser.add_argument("--benchmarks", help="the folder of the benchmarks' files")
    parser.add_argument("--config", default=str(_CUT), help="the cut")
    parser.add_argument("--corpus", help="not needed")
    parser.add_argument("settings", nargs="*", metavar="key=value", help="any setting by its dotted name")
    options = parser.parse_intermixed_args(arguments)
    if not options.benchmarks:
        sys.exit("evaluation-time: say where the benchmarks are: ARGS='--run DIR --benchmarks DIR'.")
    asked = [f"run={options.run}", f"benchmark.folder={options.benchmarks}", *options.settings]
    config = build_sections(override(read_yaml(options.config), asked), TrainConfig, foreign("trainer"), options.config)

    from trainer.evaluate.benchmarks.config import KNOWN
    from trainer.evaluate.benchmarks.score import check_folder, score
    from trainer.evaluate.benchmarks.stage import exported
    from trainer.evaluate.stage import measured

    check_folder(config.benchmark)
    cores = len(os.sched_getaffinity(0))
    began = time.monotonic()
    facts = measured(replace(config, evaluate=replace(config.evaluate, beside={})), Run(config.run))
    tokens = sum(row["tokens"] for row in facts["bpb"].values())
    yield _line("bpb", time.monotonic() - began, cores, tokens=tokens)
    reader = exported(Run(config.run).stage("export").uri, config.benchmark, config.seed, ours=True)
    scores = score(reader, config.benchmark, config.seed)
    for name, found in scores.items():
        yield _line(name, found.seconds, cores, items=found.items, of=found.of, score=found.score, chance=found.chance)
    yield _line("all", time.monotonic() - began, cores, cut=options.config, benchmarks=f"{len(scores)} of {len(KNOWN)}")


def _line(name: str, seconds: float, cores: int, **more: Any) -> dict[str, Any]:
    return {
        "name": f"evaluation-time.{name}",
        "value": round(seconds, 2),
        "unit": f"s on {cores} cores",
        "reference": None,
        "reference_value": None,
        "ratio": None,
        **more,
    }
