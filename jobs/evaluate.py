"""Validation loss and bits per byte of a run's checkpoint, by domain and language.

python jobs/evaluate.py --config configs/demo.yaml run=runs/demo
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not jobs/, where this file would hide the library `evaluate`

from trainer.evaluate.stage import evaluate  # noqa: E402
from trainer.stage import main  # noqa: E402

if __name__ == "__main__":
    main("evaluate", __doc__, evaluate)
