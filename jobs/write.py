"""What a stage kept, as JSON lines or Parquet: one file a shard, for other tools or another run.

python jobs/write.py --config configs/demo.yaml run=runs/demo --stage resample --form jsonl --to runs/demo/written
"""

import sys

from core.job import guarded, parser, settings
from datapipe.config import DataConfig
from datapipe.job import session
from datapipe.write import write_stage


def main() -> None:
    arguments = parser(__doc__ or "write", DataConfig, ["spark"])
    arguments.add_argument("--stage", default="resample", help="the stage whose kept documents are written")
    arguments.add_argument("--form", default="jsonl", choices=("jsonl", "parquet"), help="JSON lines (zstd) or Parquet")
    arguments.add_argument("--to", default="", metavar="URI", help="the folder; empty: RUN/written/STAGE-FORM")
    given = arguments.parse_args()
    config = settings(given, DataConfig, "datapipe")
    print(write_stage(config, given.stage, given.form, given.to, lambda: session("write", config)), file=sys.stderr)


if __name__ == "__main__":
    guarded(main)
