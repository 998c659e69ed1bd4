"""One run of a dedup stage on perturbed documents, with its profile: seconds of each step, CPU of the JVM and of the Python
workers, and the peaks of their memory. `dedup-speed` and `memory` show different columns of it."""

from __future__ import annotations

import gc
import importlib
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks._one_stage import open_work
from benchmarks._perturbed import write
from core.run import Run
from datapipe.config import DataConfig, ExtractConfig, SparkConfig
from datapipe.work import Work

SHARD = 32  # megabytes of text
_TICK = 0.25  # seconds between two looks at the processes


@dataclass
class Measured:
    """What one run took. Sizes in MB of text and MB of memory, times in seconds."""

    facts: dict[str, Any]
    megabytes: float
    seconds: float
    cpu: dict[str, float]  # of the JVM and of the Python workers
    steps: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, float] = field(default_factory=dict)


class Watch:
    """Looks at the processes below this one from time to time: CPU time and peak memory, by kind."""

    def __init__(self) -> None:
        self.peaks = {"python worker": 0.0, "jvm": 0.0}
        self._cpu: dict[int, tuple[str, float]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self._look()
        self._begun = self.cpu()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def used(self) -> dict[str, float]:
        """CPU seconds since the watch began, by kind."""
        now = self.cpu()
        return {kind: round(now[kind] - self._begun.get(kind, 0.0), 1) for kind in now}

    def cpu(self) -> dict[str, float]:
        total = dict.fromkeys(self.peaks, 0.0)
        for kind, seconds in self._cpu.values():
            total[kind] += seconds
        return total

    def _watch(self) -> None:
        while not self._over.wait(_TICK):
            self._look()

    def _look(self) -> None:
        for process in psutil.Process().children(recursive=True):
            try:
                with process.oneshot():
                    kind = "jvm" if process.name().startswith("java") else "python worker"
                    times, memory = process.cpu_times(), process.memory_info().rss / 1e6
            except psutil.NoSuchProcess:
                continue
            self._cpu[process.pid] = (kind, times.user + times.system)
            self.peaks[kind] = max(self.peaks[kind], memory)


class TimedWork(Work):
    """A stage at work whose steps are timed: what it emits, commits and judges, by name."""

    steps: dict[str, float]

    def emit(self, name: str, *arguments: Any) -> Any:
        return self._timed(name, super().emit, name, *arguments)

    def commit(self, name: str, *arguments: Any) -> Any:
        return self._timed(name, super().commit, name, *arguments)

    def judge(self, *arguments: Any, **named: Any) -> Any:
        return self._timed("shards", super().judge, *arguments, **named)

    def _timed(self, name: str, run: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return run(*arguments, **named)
        finally:
            self.steps[name] = round(self.steps.get(name, 0.0) + time.perf_counter() - began, 2)


def measure(name: str, corpus: Path, megabytes: float, cores: int, driver_memory: str, giant: int = 0) -> Measured:
    """Runs the stage `name` on that many MB, or on one family of `giant` near copies."""
    shards = max(2 * cores, round(megabytes / SHARD))
    spark = SparkConfig(master=f"local[{cores}]", driver_memory=driver_memory, partitions=max(2 * cores, shards // 2))
    config = DataConfig(extract=ExtractConfig(shards=shards), spark=spark)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(folder)
        before = run.stage(f"before_{name}")
        write(corpus, before, megabytes, shards, cores, giant)
        work = open_work(run, name, before, config, TimedWork)
        work.steps = {}
        stage = getattr(importlib.import_module(f"datapipe.stages.{name}"), name)
        warm_up(work)
        with Watch() as watch:
            began = time.perf_counter()
            facts = stage(work)
            seconds = time.perf_counter() - began
        peaks = {**watch.peaks, "jvm live": live_heap(work), "driver": _own_peak()}
        work.session.stop()
    work.steps["other"] = round(seconds - sum(work.steps.values()), 2)
    return Measured(facts, facts["bytes_in"] / 1e6, seconds, watch.used(), work.steps, peaks)


def warm_up(work: Work) -> None:
    """Starts the Python workers, which is part of Spark's start-up."""
    work.session.sparkContext.parallelize(range(8), 8).map(lambda _: importlib.import_module("datapipe.work").__name__).count()


def live_heap(work: Work) -> float:
    """MB of the JVM's heap that are still in use at the end, after a collection."""
    java = work.session.sparkContext._jvm.java.lang  # type: ignore[union-attr]
    gc.collect()  # what Python no longer holds of the JVM is let go there too
    java.System.gc()
    runtime = java.Runtime.getRuntime()
    return float(runtime.totalMemory() - runtime.freeMemory()) / 1e6


def _own_peak() -> float:
    """Peak memory of this process, the driver's Python, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
