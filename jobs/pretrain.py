"""Pre-training: the network on the encoded shards, in any layout of tensor, pipeline and data ranks.

deepspeed --num_gpus 2 jobs/pretrain.py --config configs/demo.yaml run=runs/demo
"""

from core.job import parser, settings
from trainer.config import TrainConfig
from trainer.rank import as_rank


def main() -> None:
    arguments = parser(__doc__ or "", TrainConfig, ("model", "parallel", "pretrain"))
    arguments.add_argument("--local_rank", type=int, default=0, help="set by the launcher; the environment says the same")
    config = settings(arguments.parse_args(), TrainConfig, "trainer")

    from trainer.parallel.start import start

    device = start(config.parallel)

    from trainer.pretrain import pretrain

    pretrain(config, device)


if __name__ == "__main__":
    as_rank(main)
