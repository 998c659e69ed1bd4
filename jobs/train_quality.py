"""Quality classifiers: fastText learns to tell reference-like text from random crawl, for each language.

spark-submit jobs/train_quality.py --config configs/demo.yaml run=runs/demo
"""

from datapipe.job import main

if __name__ == "__main__":
    main("train_quality", __doc__)
