"""The values of a search as the complete training config of a wider model, by muP.

python jobs/transfer.py --config configs/search/tele-flm.yaml run=runs/search
"""

from core.job import guarded, parser, settings
from trainer.config import TrainConfig
from trainer.search.transfer import transfer


def main() -> None:
    asked = parser(__doc__ or "", TrainConfig, ["transfer", "model"]).parse_args()
    guarded(lambda: print(transfer(settings(asked, TrainConfig, "trainer"))))


if __name__ == "__main__":
    main()
