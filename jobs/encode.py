"""Token shards: Megatron's .bin/.idx for each domain, training and validation apart by near-duplicate cluster.

spark-submit jobs/encode.py --config configs/demo.yaml run=runs/demo
"""

from datapipe.job import main

if __name__ == "__main__":
    main("encode", __doc__)
