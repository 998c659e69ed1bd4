"""A run's checkpoint as a Hugging Face directory, with its logits compared with ours.

python jobs/export.py --config configs/demo.yaml run=runs/demo export.form=llama
"""

from trainer.export.stage import export
from trainer.stage import main

if __name__ == "__main__":
    main("export", __doc__, export)
