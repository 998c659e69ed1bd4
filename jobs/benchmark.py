"""The report's benchmarks over a run's export, through lm-evaluation-harness, from local files; prints and writes the tables.

make benchmark RUN=runs/demo BENCHMARKS=folder
python jobs/benchmark.py --config configs/demo.yaml run=runs/demo benchmark.folder=folder benchmark.limit=null
python jobs/benchmark.py --config configs/demo.yaml run=runs/demo benchmark.folder=folder --export other/model
"""

from core.job import guarded, parser, settings
from trainer.config import TrainConfig
from trainer.evaluate.benchmarks.stage import benchmark


def main() -> None:
    arguments = parser(__doc__ or "", TrainConfig, ["benchmark"])
    arguments.add_argument("--export", metavar="DIR", help="a Hugging Face directory, in place of the run's export")
    asked = arguments.parse_args()
    print(benchmark(settings(asked, TrainConfig, "trainer"), asked.export))


if __name__ == "__main__":
    guarded(main, resumes=False)
