"""The vocabulary: byte-level BPE from a sample of the mix, drawn by content hash.

spark-submit jobs/train_tokenizer.py --config configs/demo.yaml run=runs/demo
"""

from datapipe.job import main

if __name__ == "__main__":
    main("train_tokenizer", __doc__)
