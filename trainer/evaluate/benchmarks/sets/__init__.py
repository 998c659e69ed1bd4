"""Every benchmark that we have, in the order of the report's Tables 7 and 8. To add one, write its file and name it here."""

from __future__ import annotations

from trainer.evaluate.benchmarks.item import Benchmark
from trainer.evaluate.benchmarks.sets import (
    arc,
    bbh,
    c3,
    ceval,
    chid,
    cmmlu,
    csl,
    gsm8k,
    hellaswag,
    humaneval,
    mmlu,
    truthfulqa,
    winogrande,
)

_MODULES = (arc, hellaswag, mmlu, truthfulqa, winogrande, gsm8k, humaneval, bbh, ceval, cmmlu, c3, chid, csl)
BENCHMARKS: dict[str, Benchmark] = {module.BENCHMARK.name: module.BENCHMARK for module in _MODULES}
