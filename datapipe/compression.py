"""The compression table of a run: its tokenizer beside others on text that was put aside when it was trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pyarrow.parquet as pq

from core import storage
from core.config import ConfigError
from core.run import Run
from tokenizer.compression import BASE, KINDS, OURS, average, kind_of, ours, plot, rates, ratios, report_rates, table
from tokenizer.peers import load

Texts = dict[str, list[str]]


def compare(run: str, vocabularies: Mapping[str, str], tokenizer: str = "") -> str:
    """Measures and writes RUN/compression: table.md, rates.json, bars.png, bars.svg; returns the table and what it rests on.

    vocabularies: name -> file of the others; tokenizer: a tokenizer.json in place of the run's own, which must not have
    been trained on the run's `unseen` text. Raises ConfigError where a file or all unseen text is missing.
    """
    trained = Run(run).stage("train_tokenizer")
    trained.require()
    counters = {name: load(name, path) for name, path in vocabularies.items()}  # what is wrong with them is told first
    uri = tokenizer or trained.path("tokenizer.json")
    if not storage.exists(uri):
        raise ConfigError(f"{uri}: no such file; run the stage `train_tokenizer`, or give a tokenizer.json.")
    texts = unseen(trained.path("unseen"))
    measured = {OURS: rates(ours(storage.read_text(uri)), texts)}
    measured |= {name: rates(count, texts) for name, count in counters.items()}
    return write(storage.join(run, "compression"), measured, texts, {OURS: uri, **vocabularies})


def unseen(uri: str) -> Texts:
    """The documents put aside by `train_tokenizer`, by kind."""
    found: Texts = {}
    for info in storage.listing(uri):
        with storage.open_uri(info.uri) as handle:
            for row in pq.read_table(handle).to_pylist():
                if row["text"]:
                    found.setdefault(kind_of(row["domain"], row["language"]), []).append(row["text"])
    if not found:
        raise ConfigError(f"{uri}: no text was put aside to measure on; set train_tokenizer.unseen higher and train again.")
    return {kind: found[kind] for kind in KINDS if kind in found}


def write(folder: str, measured: dict[str, dict[str, float]], texts: Texts, files: Mapping[str, str]) -> str:
    """Writes the four files below `folder`; returns the table with a line on the text behind it."""
    sizes = {kind: sum(len(text.encode()) for text in group) for kind, group in texts.items()}
    rows = {name: {**row, "weighted": average(row)} for name, row in measured.items()}
    facts: dict[str, Any] = {
        "unit": "tokens per UTF-8 byte",
        "files": dict(files),
        "text": {kind: {"documents": len(texts[kind]), "utf8_bytes": size} for kind, size in sizes.items()},
        "rates": rows,
        "report": report_rates(),
    }
    if BASE in measured:
        printed = report_rates(list(texts))
        facts["to_llama_3"] = {OURS: ratios(measured[OURS], measured[BASE])}
        facts["to_llama_3"]["report"] = ratios(printed["Tele-FLM"], printed[BASE])
    behind = ", ".join(f"{kind} {size / 1e3:,.0f} kB in {len(texts[kind])}" for kind, size in sizes.items())
    missing = [kind for kind in KINDS if kind not in texts]
    behind += f"; no text of {', '.join(missing)}: the weighted column leaves them out" if missing else ""
    text = f"{table(measured)}\n\nUnseen text, by documents: {behind}.\n"
    storage.write_text(storage.join(folder, "table.md"), text)
    storage.write_json(storage.join(folder, "rates.json"), facts)
    forms: tuple[Literal["png"], Literal["svg"]] = ("png", "svg")
    for form in forms:
        with storage.aside(storage.join(folder, f"bars.{form}")) as path:
            plot(measured, path, form)
    return text
