"""Decontamination: documents that share an n-gram with a benchmark's test items are removed.

spark-submit jobs/decontaminate.py --config configs/demo.yaml run=runs/demo
"""

from datapipe.job import main

if __name__ == "__main__":
    main("decontaminate", __doc__)
