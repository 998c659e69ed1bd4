"""Near-duplicate documents: MinHash, verified edges, clusters; one survivor of each group of copies stays.

spark-submit jobs/dedup_documents.py --config configs/demo.yaml run=runs/demo
"""

from datapipe.job import main

if __name__ == "__main__":
    main("dedup_documents", __doc__)
