"""Text from a trained model.

python jobs/generate.py "The river" --run runs/demo
python jobs/generate.py "The river" --run runs/demo --checkpoint step-00000200 --temperature 0
"""

from trainer.export.generate import main

if __name__ == "__main__":
    main(__doc__)
