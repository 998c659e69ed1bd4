"""Quality filter: pages that the classifier of their language scores too low are removed.

spark-submit jobs/filter_quality.py --config configs/demo.yaml run=runs/demo
"""

from datapipe.job import main

if __name__ == "__main__":
    main("filter_quality", __doc__)
