"""Trials of hyper-parameters on a narrow proxy: ranked table, choice in figures, curves, sensitivities. Goes on after a stop.

python jobs/search.py --config configs/search/small.yaml run=runs/demo search.slots=2
"""

from core.job import guarded, parser, settings
from trainer.config import TrainConfig
from trainer.search.search import report, search


def main() -> None:
    asked = parser(__doc__ or "", TrainConfig, ["search", "model", "pretrain"]).parse_args()
    guarded(lambda: report(search(settings(asked, TrainConfig, "trainer"))))


if __name__ == "__main__":
    main()
