"""Clean documents: rules by domain and language, personal data replaced, boilerplate lines removed.

spark-submit jobs/clean.py --config configs/demo.yaml run=runs/demo
"""

from datapipe.job import main

if __name__ == "__main__":
    main("clean", __doc__)
