"""Measure documents: every rule's measure of every extracted document, once and without text, for `tune`.

python jobs/measure.py --config configs/demo.yaml run=runs/demo
"""

import hashlib
import json
import os
import sys
import time

from core import __version__
from core.config import plain
from core.job import guarded, parser, settings
from core.run import Run
from datapipe.config import DataConfig
from datapipe.launch import submit
from datapipe.rules.registry import LINE_RULES, PAGE_RULES


def main() -> None:
    arguments = parser(__doc__ or "", DataConfig, ("clean", "spark")).parse_args()
    config = settings(arguments, DataConfig, "datapipe")
    extract = Run(config.run).stage("extract")
    lists = [vars(info) for info in config.clean.files(config)]
    rules = [*PAGE_RULES, *LINE_RULES]
    basis = [__version__, extract.require()["fingerprint"], config.extract.shards, plain(config.clean), lists, rules]
    wanted = hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:32]
    directory = Run(config.run).stage("measures")
    if directory.is_done(wanted):
        print("measure: up to date", file=sys.stderr)
        return
    if "PYSPARK_GATEWAY_PORT" not in os.environ:  # not yet under spark-submit, which alone can size the driver
        sys.exit(submit("measure", config.spark, ["--config", arguments.config, *arguments.overrides]))
    from datapipe.rules.table import measure_documents
    from datapipe.spark import open_session
    from datapipe.work import Work

    began = time.monotonic()
    directory.begin(wanted)
    facts = measure_documents(Work(open_session(config.spark, "measure"), config, directory, {"extract": extract}))
    directory.commit(wanted, facts, time.monotonic() - began)
    print(f"measure: {facts['documents']} documents, {facts['measures']} measures", file=sys.stderr)


if __name__ == "__main__":
    guarded(main)
