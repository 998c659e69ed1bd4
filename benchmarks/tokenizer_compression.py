"""Tokens per byte on held-out text of a run, ours beside GPT-4, Llama-1/2 and Llama-3 (--run, --tokenizers).

A vocabulary is trained on the run's documents in the report's proportions, some documents aside; rates are measured on
those. The bar of each kind is the report's own ratio to Llama-3. The table and a bar plot go beside the run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._run_text import arguments_of, read, vocabulary
from core.config import ConfigError
from datapipe.compression import write
from tokenizer.compression import BASE, OURS, average, ours, rates, ratios, report_rates
from tokenizer.peers import in_folder, load


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = arguments_of("tokenizer-compression", __doc__)
    parser.add_argument("--tokenizers", default="", help="folder of the others' vocabulary files; empty: CORPUS/tokenizers")
    options = parser.parse_args(arguments)
    folder = options.tokenizers or (str(Path(options.corpus) / "tokenizers") if options.corpus else "")
    if not folder:
        parser.error("say where the others' vocabulary files are: --tokenizers FOLDER, or --corpus DIR with DIR/tokenizers")
    try:
        files = in_folder(folder)
        counters = {name: load(name, path) for name, path in files.items()}
    except ConfigError as error:
        parser.error(str(error))
    training, held = read(options.run, options.stage)
    measured = {OURS: rates(ours(vocabulary(options, training)), held)}
    measured |= {name: rates(count, held) for name, count in counters.items()}
    print(write(str(Path(options.run) / "benchmarks"), measured, held, files), file=sys.stderr)
    printed = report_rates(list(held))
    bars = ratios(printed["Tele-FLM"], printed[BASE])
    for kind in held:
        yield _line(kind, measured[OURS][kind], measured[BASE][kind], round(bars[kind], 3))
    yield _line("weighted", average(measured[OURS]), average(measured[BASE]), 1.0)


def _line(kind: str, value: float, reference: float, bar: float) -> dict[str, Any]:
    return {
        "name": f"tokenizer-compression.{kind.lower().replace(' ', '-')}", "value": round(value, 4), "unit": "tokens/byte",
        "reference": "Llama-3 on the same text", "reference_value": round(reference, 4),
        "ratio": round(value / reference, 4), "bar": bar, "met": value / reference <= bar,
    }  # fmt: skip
