"""What the first look at a crawl saves, and what it drops that the full path keeps (bar: at most 0.5 % of that).

The full path is extract without the first look, clean and the quality filter, by the settings of `demo-corpus.yaml`, as a run
has it (`--run`, a run made with extract.triage.use=false), or as it is run here first. A page is wrongly dropped if the full
path keeps it; a copy is not, where the full path keeps the page that stays for it, since deduplication would take one of the
two.

Two mixes are measured. `corpus` is the crawl archives as they are: a curated sample, in which nearly every page is an
article, so there is little to save and every wrong drop shows. `made` is of the same pages as a public crawl might bring
them, with as many copies under other addresses, pages in a foreign language (real Greek ones, repeated) and tiny pages (made
here) as pages; its shares are assumed, not measured. Times are CPU seconds of one core: to read and extract every page,
and to read and look at every page, then read again and extract what is left.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from benchmarks._one_core import one_core
from benchmarks._one_stage import open_work
from core.config import build_sections, override, read_yaml
from core.run import Run
from datapipe.config import DataConfig, InputConfig
from datapipe.document import Verdict, document_id
from datapipe.shards import read_kept
from datapipe.sources import make
from datapipe.sources.base import InputFile
from datapipe.sources.files import DamagedFile
from datapipe.sources.inputs import Claimed, find
from datapipe.sources.reading import documents
from datapipe.sources.warc import Body, Warc
from datapipe.text.language import identify
from datapipe.triage.cheap import cheap_text
from datapipe.triage.duplicates import duplicates
from datapipe.triage.look import LOOKED, looks
from datapipe.work import Work

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("extract", "clean", "dedup_paragraphs", "train_quality", "filter_quality")


@dataclass(frozen=True)
class Mix:
    """Crawl files, and for each of their bodies' ids the id under which the full path knows its text ("" where it has none)."""

    name: str
    crawl: list[Claimed]
    known: Mapping[str, str]


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="triage", description=__doc__)
    parser.add_argument("--corpus", required=True, help="a corpus with crawl archives, as configs/demo-corpus.yaml reads it")
    parser.add_argument("--run", default="", help="a run of the full path without the first look; empty: run it now")
    parser.add_argument("--every", type=int, default=2, help="of the archives' pages, the made mix takes each n-th")
    options = parser.parse_args(arguments)
    one_core()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(options.run or folder)
        if not options.run:
            _full_path(run, options.corpus)
        kept = _kept(run / "filter_quality" / "shards")
        tree = override(read_yaml(ROOT / "configs" / "demo-corpus.yaml"), [f"run={folder}/spark", f"corpus={options.corpus}"])
        foreign = [name for name in tree if name not in DataConfig.__dataclass_fields__]
        settings = build_sections(tree, DataConfig, foreign)
        crawl = [entry for entry in find(settings.extract, options.corpus, must_exist=True) if entry[1].source == "warc"]
        spark = Run(f"{folder}/spark")
        work = open_work(spark, "extract", spark.stage("before"), settings, Work)
        bodies = list(_bodies(crawl, settings))
        own = Mix("corpus", crawl, {identity: identity for identity, _ in bodies})
        for mix in (own, _made(bodies[:: options.every], f"{folder}/made.warc.gz")):
            yield from _measure(mix, kept, settings, work)
        work.session.stop()


def _bodies(crawl: list[Claimed], settings: DataConfig) -> Iterator[tuple[str, Body]]:
    """(id, body) of each page of the archives; a damaged archive gives what comes before the damage."""
    for file, rule in crawl:
        try:
            for found in _source(rule).bodies(file, settings.extract.html):
                if isinstance(found, Body):
                    yield document_id(file.path, found.record.key), found
        except DamagedFile as damage:
            print(f"{file.path}: {damage}", file=sys.stderr)


def _made(bodies: list[tuple[str, Body]], path: str) -> Mix:
    """Pages, and for each of them a copy under another address, a foreign and a tiny page, in one crawl file."""
    greek = [body for _, body in bodies if identify(cheap_text(body.decoded().text).prose)[0] == "el"]
    known: dict[str, str] = {}
    name = os.path.basename(path)
    with open(path, "wb") as handle:
        writer = WARCWriter(handle, gzip=True)

        def write(url: str, body: Body, data: bytes, known_as: str) -> None:
            known[document_id(name, str(handle.tell()))] = known_as
            kind = ("text/plain" if body.plain else "text/html") + (f"; charset={body.charset}" if body.charset else "")
            http = StatusAndHeaders("200 OK", [("Content-Type", kind)], protocol="HTTP/1.1")
            date = {"WARC-Date": body.record.date} if body.record.date else {}
            record = writer.create_warc_record(
                url, "response", payload=io.BytesIO(data), length=len(data), http_headers=http, warc_headers_dict=date
            )
            writer.write_record(record)

        for number, (identity, body) in enumerate(bodies):
            write(body.record.url or f"http://unknown.invalid/{number}", body, body.data, identity)
            write(f"http://copies.invalid/{number}", body, body.data, identity)
            if greek:
                other = greek[number % len(greek)]
                write(f"http://foreign.invalid/{number}", other, other.data + f"<!-- {number} -->".encode(), "")
            tiny = f"<html><title>{number}</title><body><p>Please log in to read page {number}.</p></body></html>"
            write(f"http://tiny.invalid/{number}", replace(body, plain=False, charset=None), tiny.encode(), "")
    file = InputFile(path, name, os.path.getsize(path), "1")
    return Mix("made", [(file, InputConfig(source="warc"))], known)


def _measure(mix: Mix, kept: set[str], settings: DataConfig, work: Work) -> Iterator[dict[str, Any]]:
    without = _extracted(mix, {}, settings)
    start = _cpu()
    batches = [batch for file, rule in mix.crawl for batch in looks(file, _source(rule), rule, settings.extract, "")]
    looking = _cpu() - start
    began = time.monotonic()
    survivors, verdicts = _settled(batches, work)
    choosing = time.monotonic() - began
    left = _extracted(mix, verdicts, settings)
    dropped: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for source, of_file in verdicts.items():
        for key, verdict in of_file.items():
            identity = document_id(source, key)
            dropped[verdict.rule] += 1
            if mix.known[identity] in kept:
                stays = survivors.get(identity, "")
                while stays in survivors:
                    stays = survivors[stays]
                wrong[verdict.rule] += mix.known.get(stays) not in kept
    keeps = sum(known_as in kept for known_as in mix.known.values())
    pages = max(1, len(mix.known))
    yield {
        "name": f"triage.{mix.name}.time",
        "value": round(looking + left, 2),
        "unit": "CPU s",
        "reference": "every page extracted",
        "reference_value": round(without, 2),
        "ratio": round(without / (looking + left), 2),
        "pages": pages,
        "looking_ms_a_page": round(1e3 * looking / pages, 2),
        "extraction_ms_a_page": round(1e3 * without / pages, 2),
        "choosing_copies_wall_s": round(choosing, 1),
    }
    yield {
        "name": f"triage.{mix.name}.wrongly_dropped",
        "value": round(100 * wrong.total() / max(1, keeps), 3),
        "unit": "% of the pages that the full path keeps",
        "reference": "bar",
        "reference_value": 0.5,
        "ratio": round(wrong.total() / max(1, keeps) / 0.005, 3),
        "full_path_keeps": keeps,
        "dropped": dict(sorted(dropped.items())),
        "of_these_wrongly": {rule: count for rule, count in sorted(wrong.items()) if count},
    }


def _settled(batches: list[pa.RecordBatch], work: Work) -> tuple[dict[str, str], dict[str, dict[str, Verdict]]]:
    """(the survivor of each copy, the verdicts by file and key), copies chosen in Spark as the stage does."""
    survivors: dict[str, str] = {}
    verdicts: dict[str, dict[str, Verdict]] = {}
    for batch in batches:
        for row in batch.to_pylist():
            if row["verdict"]:
                verdicts.setdefault(row["source"], {})[row["key"]] = Verdict(**row["verdict"])
    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(pa.Table.from_batches(batches, LOOKED), f"{folder}/looked.parquet")
        for row in duplicates(work.table(folder, LOOKED), work.settings.extract.triage).collect():
            verdicts.setdefault(row["source"], {})[row["key"]] = Verdict(row["rule"])
            survivors[row["id"]] = row["survivor"]
    return survivors, verdicts


def _extracted(mix: Mix, verdicts: Mapping[str, dict[str, Verdict]], settings: DataConfig) -> float:
    """CPU seconds to read all files and extract the pages that have no verdict yet."""
    start = _cpu()
    for file, rule in mix.crawl:
        for _ in documents(replace(file, settled=verdicts.get(file.path, {})), rule, settings.extract):
            pass
    return _cpu() - start


def _source(rule: InputConfig) -> Warc:
    source = make(rule.source, rule.options)
    assert isinstance(source, Warc)
    return source


def _cpu() -> float:
    """CPU seconds of this process and of those that it has ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _kept(shards: Path) -> set[str]:
    """Ids of the documents that the full path keeps."""
    if not shards.is_dir():
        raise SystemExit(f"error: {shards}: no such folder; give a run that has been filtered by quality, or leave --run out.")
    batches = (batch for path in sorted(shards.glob("*.parquet")) for batch in read_kept(str(path)))
    return {identity for batch in batches for identity in batch.column("id").to_pylist()}


def _full_path(run: Path, corpus: str) -> None:
    config = ["--config", "configs/demo-corpus.yaml", f"run={run}", f"corpus={corpus}", "extract.triage.use=false"]
    for stage in STAGES:
        command = [sys.executable, "jobs/line.py", "--only", stage, *config]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
