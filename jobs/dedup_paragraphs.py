"""Repeated paragraphs: the first occurrence in the corpus stays, the others are cut out of their documents.

spark-submit jobs/dedup_paragraphs.py --config configs/demo.yaml run=runs/demo
"""

from datapipe.job import main

if __name__ == "__main__":
    main("dedup_paragraphs", __doc__)
