"""Tune a threshold: what other bounds of a rule would drop and keep, from the measures of a run, without reading its text.

python jobs/tune.py --config configs/demo.yaml run=runs/demo rule=gopher.mean_word_length max=[9,10] language=en
"""

import dataclasses

from core.config import build, load, override
from core.job import guarded, parser
from core.line import foreign
from core.run import Run
from datapipe.config import DataConfig
from datapipe.rules.sets import Bounds
from datapipe.rules.tune import TuneConfig, tune


def main() -> None:
    described = "\n".join(f"  {entry.name}: {entry.metadata['why']}" for entry in dataclasses.fields(TuneConfig))
    arguments = parser(f"{__doc__}\n{described}", DataConfig, ("clean",)).parse_args()
    own = {entry.name for entry in dataclasses.fields(TuneConfig)}
    mine = [given for given in arguments.overrides if given.partition("=")[0] in own]
    others = [given for given in arguments.overrides if given not in mine]
    wanted = build(TuneConfig, override({}, mine))
    config = load(arguments.config, others, DataConfig, foreign("datapipe"))
    for line in tune(Run(config.run), Bounds(config.clean), wanted):
        print(line)


if __name__ == "__main__":
    guarded(main)
