"""The loss of a wide model, foretold from narrow ones on the same data, and beside it what a real run has reached.

python jobs/predict.py --config configs/search/small.yaml run=runs/demo
python jobs/predict.py --config configs/search/small.yaml run=runs/demo predict.reached=runs/wide
"""

from core.job import guarded, parser, settings
from trainer.config import TrainConfig
from trainer.search.predict import predict, report


def main() -> None:
    asked = parser(__doc__ or "", TrainConfig, ["predict", "transfer", "model"]).parse_args()
    guarded(lambda: report(predict(settings(asked, TrainConfig, "trainer"))))


if __name__ == "__main__":
    main()
