"""The mix: documents selected so that a token budget is met in the proportions of the domain table.

spark-submit jobs/resample.py --config configs/demo.yaml run=runs/demo
"""

from datapipe.job import main

if __name__ == "__main__":
    main("resample", __doc__)
