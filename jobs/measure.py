"""Measure documents: every rule's measure of every extracted document, once and without text, for `tune`.

python jobs/measure.py --config configs/demo.yaml run=runs/demo
"""

import sys

from core.job import guarded, parser, settings
from datapipe.config import DataConfig
from datapipe.job import session
from datapipe.measure import measure


def main() -> None:
    arguments = parser(__doc__ or "", DataConfig, ("clean", "spark")).parse_args()
    config = settings(arguments, DataConfig, "datapipe")
    print(measure(config, lambda: session("measure", config)), file=sys.stderr)


if __name__ == "__main__":
    guarded(main)
