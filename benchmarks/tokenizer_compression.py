"""Tokens per byte on held-out text of a run, ours beside GPT-4, Llama-1/2 and Llama-3 (--run, --tokenizers).

A vocabulary is trained on the run's documents in the report's proportions, a tenth of the documents aside; rates are
measured on those. The bar of each kind is the report's own ratio to Llama-3. The table and a bar plot go beside the run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._run_text import mixture, read
from tokenizer.compression import KINDS, REPORT, WEIGHTS, average, ours, peers, plot, rates, table
from tokenizer.config import TokenizerConfig
from tokenizer.train import train


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="tokenizer-compression", description=__doc__)
    parser.add_argument("--run", default="runs/demo", help="a run whose stage `extract` (or --stage) is done")
    parser.add_argument("--stage", default="extract", help="the stage whose kept documents are read")
    parser.add_argument("--tokenizers", required=True, help="folder of the peers' vocabulary files")
    parser.add_argument("--vocabulary", type=int, default=80_000)
    parser.add_argument("--megabytes", type=float, default=150, help="text to train on, at most")
    parser.add_argument("--file", default="", help="measure this tokenizer.json instead of training one")
    options = parser.parse_args(arguments)
    training, held = read(options.run, options.stage, held_out=0.1)
    if options.file:
        json = Path(options.file).read_text(encoding="utf-8")
    else:
        sample = mixture(training, dict(zip(KINDS, WEIGHTS, strict=True)), int(options.megabytes * 1e6))
        json = train(sample, TokenizerConfig(vocabulary=options.vocabulary)).to_str()
    measured = {"ours": rates(ours(json), held)}
    measured |= {name: rates(count, held) for name, count in peers(options.tokenizers).items()}
    print(table(measured), file=sys.stderr)
    plot(measured, str(Path(options.run) / "compression.png"))
    (Path(options.run) / "compression.md").write_text(table(measured) + "\n", encoding="utf-8")
    peer = measured["Llama-3"]
    bars = {kind: mine / theirs for kind, mine, theirs in zip(KINDS, REPORT["Tele-FLM"], REPORT["Llama-3"], strict=True)}
    for kind in KINDS:
        if kind in held:
            yield _line(kind, measured["ours"][kind], peer[kind], round(bars[kind], 3))
    yield _line("weighted", average(measured["ours"]), average(peer), 1.0)


def _line(kind: str, value: float, reference: float, bar: float) -> dict[str, Any]:
    return {
        "name": f"tokenizer-compression.{kind.lower().replace(' ', '-')}", "value": round(value, 4), "unit": "tokens/byte",
        "reference": "Llama-3 on the same text", "reference_value": round(reference, 4),
        "ratio": round(value / reference, 4), "bar": bar,
    }  # fmt: skip
