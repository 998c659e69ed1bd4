"""The Spark session, and what must be settled before its JVM starts."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from core.config import ConfigError
from core.progress import Progress
from datapipe.config import SparkConfig
from datapipe.launch import properties

_FIXED_AT_LAUNCH = ("spark.driver.memory",)


def open_session(config: SparkConfig, name: str) -> SparkSession:
    """The session of this process, with every property of the config in force.

    Raises ConfigError where the JVM was launched with another driver memory than the config asks for: Spark ignores what
    a program sets then, silently, and the job would die hours later.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name)
    for key, value in properties(config).items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    _check_driver_memory(session, config)
    return session


def _check_driver_memory(session: SparkSession, config: SparkConfig) -> None:
    runtime = session.sparkContext._jvm.java.lang.Runtime.getRuntime()  # type: ignore[union-attr]
    have, want = runtime.maxMemory(), _bytes(config.driver_memory)
    if have < 0.8 * want:  # the JVM reports a little less than -Xmx: one survivor space is not counted
        raise ConfigError(
            f"spark.driver_memory = {config.driver_memory}, but this JVM was launched with {have / 2**30:.1f} GiB; "
            f"run the stage by `make`, or pass spark-submit --driver-memory {config.driver_memory}."
        )


def _bytes(size: str) -> int:
    units = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
    number, unit = (size[:-1], size[-1].lower()) if size[-1:].lower() in units else (size, "m")
    try:
        return int(number) * units[unit]
    except ValueError:
        raise ConfigError(f"spark.driver_memory = {size!r} is not a size; write it as 3g or 3000m.") from None


@contextmanager
def watched(session: SparkSession, label: str) -> Iterator[None]:
    """Shows the tasks of whatever Spark runs inside the block as a progress bar."""
    tracker = session.sparkContext.statusTracker()
    over = threading.Event()
    session.sparkContext.setJobGroup(label, label)

    def watch(bar: Progress) -> None:
        while not over.wait(0.5):
            done = total = 0
            for job in tracker.getJobIdsForGroup(label):
                info = tracker.getJobInfo(job)
                for identity in info.stageIds if info else ():
                    stage = tracker.getStageInfo(identity)
                    if stage is not None:
                        done, total = done + stage.numCompletedTasks, total + stage.numTasks
            if total:
                bar.reach(done, total)

    with Progress(label, unit="task") as bar:
        thread = threading.Thread(target=watch, args=(bar,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
