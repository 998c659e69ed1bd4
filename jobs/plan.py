"""What a run will take, before it is started: parameters, FLOPs, memory a device, idle pipeline, traffic, days.

python jobs/plan.py --config configs/models/tele-flm-52b.yaml
python jobs/plan.py --config configs/growth/tele-flm.yaml      # a path of growth, stage by stage
"""

from core.config import ConfigError
from core.job import guarded, parser, settings
from trainer import plan
from trainer.config import TrainConfig
from trainer.growth import path


def main() -> None:
    arguments = parser(__doc__ or "", TrainConfig, ("model", "parallel", "pretrain", "plan", "grow")).parse_args()
    config = settings(arguments, TrainConfig, "trainer")
    if config.grow.path:
        print("\n".join(path.lines(path.legs(config.grow.path, config.model.vocab))))
        return
    if config.model.vocab is None:
        raise ConfigError("model.vocab is not set, and a plan needs it; add model.vocab=80000.")
    print("\n".join(plan.lines(config)))


if __name__ == "__main__":
    guarded(main)
