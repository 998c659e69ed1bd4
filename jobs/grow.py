"""A trained network as the beginning of a wider, deeper one with the same function: the checkpoint that a run goes on from.

python jobs/grow.py --config configs/growth/small-2.yaml run=runs/grown grow.source=runs/small
"""

from core.job import guarded, parser, settings
from trainer.config import TrainConfig
from trainer.growth.grow import grow, report


def main() -> None:
    asked = parser(__doc__ or "", TrainConfig, ["grow", "model"]).parse_args()
    guarded(lambda: report(grow(settings(asked, TrainConfig, "trainer"))))


if __name__ == "__main__":
    main()
