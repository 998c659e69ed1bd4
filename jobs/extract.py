"""Raw files into documents: crawl archives, dumps, papers, books, records in any layout; damage goes to the ledger.

spark-submit jobs/extract.py --config configs/demo.yaml run=runs/demo
"""

from datapipe.job import main

if __name__ == "__main__":
    main("extract", __doc__)
