"""The whole line, from raw pages to the report: runs every stage that is out of date, in order.

python jobs/line.py --config configs/demo.yaml run=runs/demo
python jobs/line.py --only clean --config configs/demo.yaml run=runs/demo
"""

import subprocess
import sys
from pathlib import Path

from core.conductor import Conductor
from core.config import plain
from core.job import Parser, guarded, settings
from core.run import Run
from datapipe.config import DataConfig
from datapipe.launch import submit
from trainer.config import TrainConfig
from trainer.launch import launch

JOBS = Path(__file__).resolve().parent


def main() -> None:
    parser = Parser(__doc__ or "")
    parser.add_argument("--only", metavar="STAGE", help="run this stage alone, on what those before it have left")
    parser.add_argument("--list", action="store_true", help="say what is out of date, and stop")
    arguments = parser.parse_args()
    data = settings(arguments, DataConfig, "datapipe")
    train = settings(arguments, TrainConfig, "trainer")
    run = Run(data.run)
    run.prepare()
    given = ["--config", arguments.config, *arguments.overrides]

    def python(first: str, last: str) -> int:
        return subprocess.run([sys.executable, str(JOBS / f"{first}.py"), *given], check=False).returncode

    def deepspeed(first: str, last: str) -> int:
        return launch(first, train, given)

    launchers = {
        "python": python,
        "spark": lambda first, last: submit(first, data.spark, [*given, "--through", last]),
        "deepspeed": deepspeed,
    }
    typed = {**vars(train), **vars(data)}
    conductor = Conductor(run, {**plain(train), **plain(data)}, typed, data, launchers)
    if arguments.list:
        print("\n".join(conductor.out_of_date()) or "everything is up to date")
    elif arguments.only:
        conductor.play_only(arguments.only)
    else:
        conductor.play()


if __name__ == "__main__":
    guarded(main)
