"""Make the demo's corpus from this machine: pydoc pages crawled over loopback, sources, licences, readmes; no network.

python jobs/crawl.py --config configs/demo.yaml run=runs/demo
"""

import sys
import time

from core.config import plain
from core.job import guarded, parser, settings
from core.line import fingerprint, outside, stage
from core.run import Run
from datapipe.config import DataConfig
from datapipe.stages.crawl import crawl


def main() -> None:
    config = settings(parser(__doc__ or "", DataConfig, ["crawl"]).parse_args(), DataConfig, "datapipe")
    run = Run(config.run)
    run.prepare()
    run.record(plain(config))
    directory, began = run.stage("crawl"), time.monotonic()
    wanted = fingerprint(stage("crawl"), plain(config), {}, outside(config.crawl, config))
    if directory.is_done(wanted):
        print("crawl: up to date", file=sys.stderr)
        return
    directory.begin(wanted)
    facts = crawl(config.crawl, directory)
    directory.commit(wanted, facts, time.monotonic() - began)
    others = sum(facts["texts"].values())
    print(f"crawl: {facts['pages']} pages, {others} other texts, {time.monotonic() - began:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    guarded(main)
