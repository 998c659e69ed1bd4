"""A Hugging Face directory as the checkpoint that a run begins from.

python jobs/import_model.py --config configs/demo.yaml run=runs/next --from runs/demo/export
"""

from core.job import guarded, parser, settings
from trainer.config import TrainConfig
from trainer.export.bring_in import bring_in, report


def main() -> None:
    arguments = parser(__doc__ or "", TrainConfig, ["model"])
    arguments.add_argument("--from", dest="folder", required=True, metavar="DIR", help="the model's directory")
    asked = arguments.parse_args()
    guarded(lambda: report(bring_in(settings(asked, TrainConfig, "trainer"), asked.folder)))


if __name__ == "__main__":
    main()
