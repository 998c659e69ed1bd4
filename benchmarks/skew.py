"""How evenly one big file is shared out, and what one huge page costs: inputs in which most of a corpus lies in one place.

One JSON-lines file and one crawl file of gzip members, each far larger than `extract.split_bytes`, half of the crawl's pages
from one host, and long ones among them. Each part is read as a task of `extract` reads it, without Spark and one after the
other: CPU seconds of the longest part beside the mean. Then a page of 50 MB, one of 50 MB that was 50 kB on the wire, and one
just within the bounds, each in a process of its own: CPU seconds and the peak of its memory.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from benchmarks._one_core import one_core
from datapipe.config import ExtractConfig, InputConfig
from datapipe.sources.base import InputFile
from datapipe.sources.inputs import in_parts
from datapipe.sources.reading import documents

_WORDS = "the river rose in a night and carried wooden bridge away before anyone village had noticed it mill bank".split()
_PARTS = 8
_HUGE = 50_000_000


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="skew", description=__doc__)
    parser.add_argument("--corpus", help="not needed: the inputs are made")
    parser.add_argument("--megabytes", type=float, default=200, help="of text in the JSON lines; the crawl has a fifth of it")
    options = parser.parse_args(arguments)
    one_core()
    with TemporaryDirectory() as folder:
        for name, made in (("lines.jsonl", _lines), ("crawl.warc.gz", _crawl)):
            path = Path(folder) / name
            count = made(path, options.megabytes * 1e6)
            yield _spread(path, InputConfig(source="warc" if "warc" in name else "records", language="en"), count)
        for name in ("a 50 MB page", "a 50 MB page of 50 kB", "a page of 3,900,000 bytes"):
            path = Path(folder) / "page.warc.gz"
            _page(path, name)
            seconds, memory, rule = _alone(path)
            _page(path, "a small page")
            few, least, _ = _alone(path)
            yield _result(f"{name}: {rule or 'kept'}", seconds, "CPU s", "a small page", few)
            yield _result(f"{name}: {rule or 'kept'}", memory, "MB at the peak", "a small page", least)


def _spread(path: Path, rule: InputConfig, count: int) -> dict[str, Any]:
    size = path.stat().st_size
    spent, found = [], 0
    for file, _ in in_parts([(InputFile(str(path), path.name, size, "1"), rule)], -(-size // _PARTS)):
        began = time.process_time()
        found += sum(1 for _ in documents(file, rule, ExtractConfig()))
        spent.append(time.process_time() - began)
    if found != count or len(spent) != _PARTS:
        raise SystemExit(f"error: {path.name}: {found} of {count} documents were read in {len(spent)} parts.")
    part = f"{path.name}, {size / 1e6:.0f} MB stored"
    row = _result(part, max(spent), "CPU s of the longest task", "mean", sum(spent) / _PARTS)
    return {**row, "tasks": [round(seconds, 2) for seconds in spent], "documents": count}


def _alone(path: Path) -> tuple[float, float, str]:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_read_alone, path).result()


def _read_alone(path: Path) -> tuple[float, float, str]:
    """(CPU seconds, MB, rule) of reading a file of one page in this process and the children that it starts."""
    file = InputFile(str(path), path.name, path.stat().st_size, "1")
    [document] = documents(file, InputConfig(source="warc", language="en"), ExtractConfig())
    from datapipe.sources.page import guard

    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    peak = sum(_peak(process) for process in ("self", *children))
    guard.stop()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used), peak, document.verdict.rule if document.verdict else ""


def _peak(process: str) -> float:
    """The most memory that a process has held, in MB (Linux's VmHWM: getrusage counts what its parent held at the fork)."""
    [line] = [line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1000


def _result(name: str, value: float, unit: str, reference: str, beside: float) -> dict[str, Any]:
    return {
        "name": "skew", "part": name, "value": round(value, 2), "unit": unit, "reference": reference,
        "reference_value": round(beside, 2), "ratio": round(value / max(beside, 1e-9), 2),
    }  # fmt: skip


def _lines(path: Path, size: float) -> int:
    chance = np.random.default_rng(1)
    texts = [" ".join(chance.choice(_WORDS, int(words))) for words in chance.lognormal(5.5, 1.2, 200)]
    rows = [json.dumps({"text": text}) + "\n" for text in texts]
    count = 0
    with path.open("w") as handle:
        while handle.tell() < size:
            handle.writelines(rows)
            count += len(rows)
    return count


def _crawl(path: Path, size: float) -> int:
    chance = np.random.default_rng(2)
    written = count = 0
    with path.open("wb") as handle:
        while written < size / 5:
            paragraphs = int(min(chance.lognormal(3, 1), 3000))
            host = "one.example" if chance.random() < 0.5 else f"{count}.example"
            html = _html(paragraphs, chance)
            _respond(handle, f"http://{host}/{count}", html)
            written, count = written + len(html), count + 1
    return count


def _page(path: Path, name: str) -> None:
    body = _html(10, np.random.default_rng(3))
    if "50" in name:
        body = body * (_HUGE // len(body) + 1)
    elif "3,900,000" in name:
        body = b"<p>" * 10 + body * (3_900_000 // len(body) - 1)
    coding = [("Content-Encoding", "gzip")] if "kB" in name else []
    with path.open("wb") as handle:
        _respond(handle, "http://one.example/", gzip.compress(body) if coding else body, coding)


def _html(paragraphs: int, chance: np.random.Generator) -> bytes:
    words = chance.choice(_WORDS, (paragraphs, 60))
    inner = "".join(f"<div class='post'><p>{' '.join(row)}.</p><a href='/more'>more</a></div>" for row in words)
    return f"<html><body><div class='content'>{inner}</div></body></html>".encode()


def _respond(handle: Any, url: str, body: bytes, coding: list[tuple[str, str]] | None = None) -> None:
    writer = WARCWriter(handle, gzip=True)
    http = StatusAndHeaders("200 OK", [("Content-Type", "text/html"), *(coding or [])], protocol="HTTP/1.1")
    record = writer.create_warc_record(url, "response", payload=io.BytesIO(body), length=len(body), http_headers=http)
    writer.write_record(record)
