"""The files of a grown checkpoint, each written once for all and by several processes: a growth that was killed goes on.

At 1T a layer's file has 93 GB and there are 140: drawn, written and hashed one after another they would take many hours. A
file's numbers depend on its name, the seed and the source alone, so any number of processes writes the same ones.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch

from core import storage
from core.progress import Progress
from trainer.checkpoint import Checkpoint, Writer, file_of
from trainer.export.forms import canonical_names
from trainer.growth.tensors import Grown

T = TypeVar("T")
Each = Callable[[Callable[[str], T], Sequence[str]], Iterator[tuple[str, T]]]
"""Does work on every file of a list; gives each with its result, in the order in which they are done."""


@contextmanager
def processes(count: int) -> Iterator[Each[Any]]:
    """So many processes to share files among; one is this process itself. They end when it is killed."""
    if count == 1:
        yield _one_after_another
        return
    threads = max(1, len(os.sched_getaffinity(0)) // count)
    # Spawned, not forked: torch has threads already, and a fork would copy their locks.
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _begin, (threads,))
    try:
        yield partial(_shared, pool)
    finally:
        pool.shutdown(cancel_futures=True)


def _one_after_another(work: Callable[[str], T], files: Sequence[str]) -> Iterator[tuple[str, T]]:
    for file in files:
        yield file, work(file)


def _shared(pool: ProcessPoolExecutor, work: Callable[[str], T], files: Sequence[str]) -> Iterator[tuple[str, T]]:
    asked = {pool.submit(work, file): file for file in files}
    for done in as_completed(asked):
        yield asked[done], done.result()


def _begin(threads: int) -> None:
    """In each process: its share of the cores, and an end when the first process has come to one."""
    torch.set_num_threads(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)  # else it would go on writing below a growth that has been started again


def verify(checkpoint: Checkpoint, each: Each[None]) -> None:
    """Compares every file of a checkpoint with its checksum. Raises CheckpointError."""
    with Progress("grow: verify", total=len(checkpoint.files), unit="file") as bar:
        for _ in each(checkpoint.verify, checkpoint.files):
            bar.advance(1)


def write(writer: Writer, grown: Grown, state: Mapping[str, Any], origin: str, each: Each[dict[str, Any]]) -> Path:
    """Writes the grown checkpoint and gives it its name.

    `origin` names the growth: files that a killed one of the same origin had written are kept, by the facts that stand in a
    folder beside them.
    """
    parts: dict[str, list[str]] = {}
    for name in canonical_names(grown.model):
        parts.setdefault(file_of(name), []).append(name)
    beside = writer.aside.with_suffix(".facts")
    facts = _whole(writer, beside, origin, parts)
    if not facts:
        shutil.rmtree(beside, ignore_errors=True)
        writer.prepare()
    work = partial(_write, writer, beside, grown, origin, parts)
    with Progress("grow", total=len(parts), unit="file", begin=len(facts)) as bar:
        for file, found in each(work, [file for file in parts if file not in facts]):
            facts[file] = found
            bar.advance(1)
    path = writer.commit(state, facts)
    shutil.rmtree(beside)
    return path


def _write(
    writer: Writer, beside: Path, grown: Grown, origin: str, parts: Mapping[str, Sequence[str]], file: str
) -> dict[str, Any]:
    held = {}
    for name in parts[file]:
        held.update(grown.tensors(name))
    facts = writer.write(file, held)
    storage.write_json(str(beside / f"{file}.json"), {"origin": origin, **facts})
    return facts


def _whole(writer: Writer, beside: Path, origin: str, parts: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
    """The facts of the files that are there: those were written after the whole file was on the disk."""
    found = {}
    for file in parts:
        noted, path = beside / f"{file}.json", writer.aside / file
        if noted.exists() and path.exists():
            facts = storage.read_json(str(noted))
            if facts.pop("origin") == origin and path.stat().st_size == facts["bytes"]:
                found[file] = facts
    return found
