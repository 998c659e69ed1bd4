"""DeepSpeed's own config, made from ours, with the settings off that train wrongly without an error."""

from __future__ import annotations

from typing import Any

from trainer.config import TrainConfig

_NEVER = 1 << 60
_LARGEST_BUCKET = 500_000_000


def deepspeed_config(config: TrainConfig, stage_parameters: int) -> dict[str, Any]:
    """The dictionary that `deepspeed.initialize` takes; `stage_parameters` bounds its communication buffers."""
    bucket = min(_LARGEST_BUCKET, stage_parameters + 1024)
    return {
        "train_batch_size": config.pretrain.batch,
        "train_micro_batch_size_per_gpu": config.parallel.micro_batch,
        "gradient_accumulation_steps": config.accumulation,
        "gradient_clipping": config.pretrain.optimizer.clip,
        # Stage 0 clips by a wrong norm with a pipeline, 2 and 3 do not go with one.
        "zero_optimization": {"stage": 1, "reduce_bucket_size": bucket, "allgather_bucket_size": bucket},
        "zero_allow_untested_optimizer": True,
        # A gradient in bf16 goes into its fp32 sum as soon as it is there, and is freed.
        "bf16": {"enabled": config.pretrain.precision == "bf16", "immediate_grad_update": True},
        # By itself DeepSpeed would round the fp32 sums to bf16 on their way between data ranks (and where there is only one).
        "data_types": {"grad_accum_dtype": "fp32"},
        "communication_data_type": "fp32",
        # Both are on by default and wrong under sequence parallelism, where each rank's hidden state is its own.
        "pipeline": {"pipe_partitioned": False, "grad_partitioned": False, "activation_checkpoint_interval": 0},
        "steps_per_print": _NEVER,
        "wall_clock_breakdown": False,
    }
