"""Makes the page and the summary of a run: python jobs/report.py --config configs/demo.yaml run=runs/demo"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not jobs/, where this file would hide the package `report`

from report.make import main  # noqa: E402

if __name__ == "__main__":
    main(__doc__)
