"""Compression: tokens per UTF-8 byte of a run's tokenizer on text that it was not trained on, beside other vocabularies.

make compression RUN=runs/demo PEERS=folder
python jobs/compression.py --config configs/demo.yaml run=runs/demo --peers folder
python jobs/compression.py --config configs/demo.yaml run=runs/demo --peer Llama-3=llama3.model --peer older=old/tokenizer.json

The folder holds cl100k_base.tiktoken (GPT-4), llama2_tokenizer.model (Llama-1/2) and llama3_tokenizer.model (Llama-3). Prints
the table, with the report's rows, and writes RUN/compression: table.md, rates.json, bars.png, bars.svg.
"""

import sys

from core.job import guarded, parser, settings
from datapipe.compression import compare
from datapipe.config import DataConfig
from tokenizer.peers import chosen


def main() -> None:
    arguments = parser(__doc__ or "compression", DataConfig, ["train_tokenizer"])
    arguments.add_argument("--peers", default="", metavar="FOLDER", help="the folder of the three vocabulary files")
    arguments.add_argument(
        "--peer", action="append", default=[], metavar="NAME=FILE",
        help="one vocabulary: GPT-4, Llama-1/2, Llama-3, or any name and a tokenizer.json; may be given again",
    )  # fmt: skip
    arguments.add_argument("--tokenizer", default="", metavar="FILE", help="a tokenizer.json in place of the run's own")
    given = arguments.parse_args()
    config = settings(given, DataConfig, "datapipe")
    vocabularies = chosen(given.peers, given.peer)
    if not vocabularies:
        print("compression: no other vocabulary was given (--peers FOLDER); beside the report's rows only.", file=sys.stderr)
    print(compare(config.run, vocabularies, given.tokenizer))


if __name__ == "__main__":
    guarded(main)
