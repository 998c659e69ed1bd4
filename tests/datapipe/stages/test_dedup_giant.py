"""A hundred thousand near copies of one short page: all meet in every band, and no process may hold them all."""

import random
from collections.abc import Callable
from threading import Event, Thread

import psutil
import pyarrow.parquet as pq
import pytest

from datapipe.config import DataConfig, ExtractConfig
from datapipe.document import Document
from datapipe.stages.dedup_documents import dedup_documents
from tests.conftest import MakeWork

PAGES, WORDS = 100_000, 60
PEAK = 900e6  # bytes: an idle worker with its libraries has 250e6


def near_copies() -> list[Document]:
    """Each with none, one or two words of its own: true Jaccards from about 0.65 to 1."""
    draw = random.Random(4)
    template = [f"word{n}" for n in range(WORDS)]
    pages = []
    for number in range(PAGES):
        own = list(template)
        for place in draw.sample(range(WORDS), draw.randrange(3)):
            own[place] = f"own{draw.randrange(1000)}"
        pages.append(Document(source="shop", key=str(number), domain="WebText", language="en", text=" ".join(own)))
    return pages


def watched(run: Callable[[], dict]) -> tuple[dict, float]:
    """What a run gives, and the peak resident memory of any Python worker meanwhile, in bytes."""
    peak, over = [0], Event()

    def watch() -> None:
        while not over.wait(0.3):
            for process in psutil.Process().children(recursive=True):
                try:
                    if not process.name().startswith("java"):
                        peak[0] = max(peak[0], process.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue  # it ended between being listed and being looked at

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        return run(), peak[0]
    finally:
        over.set()
        thread.join()


@pytest.mark.slow
def test_a_hundred_thousand_near_copies_take_bounded_memory_and_leave_few(make_work: MakeWork) -> None:
    work = make_work("dedup_documents", near_copies(), DataConfig(extract=ExtractConfig(shards=4)))
    facts, peak = watched(lambda: dedup_documents(work))
    assert facts["in"] == PAGES and facts["kept"] + facts["removed"] == PAGES
    assert facts["removed"] > 0.6 * PAGES
    assert facts["near_duplicates"]["largest"][0] > 0.6 * PAGES
    assert peak < PEAK
    stays, named = set(), set()
    for shard in range(4):
        for row in pq.read_table(work.directory.path("shards", f"{shard:05d}.parquet"), columns=["id", "verdict"]).to_pylist():
            if row["verdict"] is None:
                stays.add(row["id"])
            else:
                assert row["verdict"]["measure"] >= 0.8
                named.add(row["verdict"]["detail"].split()[-1])
    assert named <= stays, "each removed page names a page that stays"
