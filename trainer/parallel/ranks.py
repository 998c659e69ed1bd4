"""Where a rank stands: which stage, which copy of the model, which share of each matrix.

Ranks are numbered stage by stage, within a stage copy by copy, within a copy tensor rank by tensor rank: a tensor group is
a run of neighbours and, with the launcher's numbering, lies within one node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

from trainer.config import ParallelConfig
from trainer.parallel.collectives import TensorGroup


@dataclass(frozen=True)
class Ranks:
    """One rank's place. `topology` is DeepSpeed's; `data_group` holds the ranks with the same share of the model."""

    rank: int
    stage: int
    stages: int
    data: int
    data_size: int
    tensor: TensorGroup
    topology: Any
    data_group: Any
    device: torch.device

    @property
    def first(self) -> bool:
        return self.stage == 0

    @property
    def last(self) -> bool:
        return self.stage == self.stages - 1

    @property
    def main(self) -> bool:
        """The one rank that writes logs and talks to the terminal."""
        return self.rank == 0

    def rows(self, count: int) -> slice:
        """This data rank's rows of a step's `count` sequences; over all data ranks they are those of the step, in order."""
        share = count // self.data_size
        return slice(self.data * share, (self.data + 1) * share)


def place(parallel: ParallelConfig, device: torch.device) -> Ranks:
    """This rank's place. Every process group is made here, on every rank in the same order, before any layer exists."""
    from deepspeed.runtime.pipe.topology import PipeModelDataParallelTopology

    topology = PipeModelDataParallelTopology(num_pp=parallel.pipeline, num_mp=parallel.tensor, num_dp=parallel.data)
    rank = dist.get_rank()
    at = topology.get_coord(rank)
    return Ranks(
        rank=rank,
        stage=at.pipe,
        stages=parallel.pipeline,
        data=at.data,
        data_size=parallel.data,
        tensor=TensorGroup(at.model, parallel.tensor, parallel.sequence, _group_of(topology, "model", rank)),
        topology=topology,
        data_group=_group_of(topology, "data", rank),
        device=device,
    )


def _group_of(topology: Any, axis: str, rank: int) -> Any:
    own = None
    for members in topology.get_axis_comm_lists(axis):
        group = dist.new_group(members)
        if rank in members:
            own = group
    return own
