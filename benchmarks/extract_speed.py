"""Pages a second and core from decoded HTML to main text, beside trafilatura, resiliparse and the parser alone.

All pages of the ground truth, each extractor over all of them in turn, CPU seconds; the best of some passes for each, so that
neighbours count little.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from benchmarks._extractors import DEFAULTS, FAST, OURS, PARSER, RESILIPARSE, run
from benchmarks._one_core import one_core
from benchmarks._pages import read


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="extract-speed", description=__doc__)
    parser.add_argument(
        "--corpus", required=True, help="a folder with warc/ground_truth.jsonl.gz and the archives that it names"
    )
    parser.add_argument("--repeats", type=int, default=2, help="the fastest pass counts")
    parser.add_argument("--every", type=int, default=1, help="take every n-th page")
    parser.add_argument("--without-resiliparse", action="store_true", help="leave out what must be installed")
    options = parser.parse_args(arguments)
    one_core()
    pages = [page.html for page in read(options.corpus)][:: options.every]
    names = [OURS, PARSER, DEFAULTS, FAST, *([] if options.without_resiliparse else [RESILIPARSE])]
    speeds = {name: 0.0 for name in names}
    for _ in range(options.repeats):
        for name in names:
            speeds[name] = max(speeds[name], len(pages) / sum(run(name, pages)[1]))
    for name in names[1:]:
        yield {
            "name": "extract-speed", "value": round(speeds[OURS], 1), "unit": "pages/s a core", "reference": name,
            "reference_value": round(speeds[name], 1), "ratio": round(speeds[OURS] / speeds[name], 3), "pages": len(pages),
        }  # fmt: skip
