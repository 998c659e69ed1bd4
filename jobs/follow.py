"""Scores the checkpoints of a run, while it trains or afterwards: BPB and benchmarks, for the curves of the report page.

python jobs/follow.py --config configs/demo.yaml run=runs/demo benchmark.folder=benchmarks
"""

import os
import sys
import threading

from core.job import guarded, parser, settings
from trainer.config import TrainConfig
from trainer.evaluate.benchmarks.follow import follow


def main() -> None:
    arguments = parser(__doc__ or "", TrainConfig, ["benchmark"])
    arguments.add_argument(
        "--while-fed", action="store_true", help="look for new checkpoints until stdin ends; without it, score those there are"
    )
    asked = arguments.parse_args()
    over = threading.Event()
    if asked.while_fed:
        os.nice(10)  # training goes first
        threading.Thread(target=_until_fed, args=(over,), daemon=True).start()
    else:
        over.set()
    follow(settings(asked, TrainConfig, "trainer"), over.is_set)


def _until_fed(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


if __name__ == "__main__":
    guarded(main)
