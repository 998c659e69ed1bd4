"""Which devices each of several trials at a time gets: this host's, or those of `parallel.hostfile`, cut into equal slots."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.config import ConfigError
from core.ports import free_ports
from trainer.config import ParallelConfig, local_threads
from trainer.launch import environment, hosts

_OF_A_STARTER = ("NODE_RANK", "MASTER_ADDR", "MASTER_PORT")  # every trial would take them for its own


@dataclass(frozen=True)
class Slot:
    """The devices of one trial.

    devices: their names for CUDA_VISIBLE_DEVICES, where they are this host's; include, port: `parallel.include` and the port of
    the trial's first rank, where they are a hostfile's; neighbours: ranks of all slots on one host, which share its cores.
    """

    neighbours: int
    devices: tuple[str, ...] = ()
    include: str | None = None
    port: int | None = None

    def layout(self, parallel: ParallelConfig) -> ParallelConfig:
        """A trial's layout in this slot."""
        threads = parallel.threads or local_threads(parallel, self.neighbours)
        return replace(parallel, threads=threads, include=self.include)

    def environment(self, parallel: ParallelConfig, inherited: Mapping[str, str]) -> dict[str, str]:
        """The environment of a trial's processes in this slot."""
        own = {name: value for name, value in inherited.items() if name not in _OF_A_STARTER}
        made = environment(parallel, parallel.world, own)
        if self.devices:
            made["CUDA_VISIBLE_DEVICES"] = ",".join(self.devices)
        if self.port is not None:
            made["MASTER_PORT"] = str(self.port)
        return made


def cut(parallel: ParallelConfig, count: int) -> list[Slot]:
    """`count` slots of parallel.world devices. Raises ConfigError where there are fewer, or names that a launcher does
    not know."""
    world = parallel.world
    if parallel.hostfile is not None:
        used = hosts(parallel)
        parts = share_out(used, world)
        there = " + ".join(str(len(devices)) for devices in used.values())
        _enough(count, len(parts), world, f"{there} of {parallel.hostfile}")
        parts, ports = parts[:count], free_ports(count)
        neighbours = max(sum(len(part.get(host, ())) for part in parts) for host in used)
        return [Slot(neighbours, include=_include(part), port=port) for part, port in zip(parts, ports, strict=True)]
    here = local_devices(parallel.device)
    if not here:
        return [Slot(count * world)] * count
    _enough(count, len(here) // world, world, f"{len(here)} here")
    if world > 1 and not all(name.isdigit() for name in here):
        raise ConfigError(
            f"CUDA_VISIBLE_DEVICES = {','.join(here)}: DeepSpeed's launcher, which starts trials of {world} ranks, knows "
            "devices by number alone; give them as numbers, as 0,1."
        )
    return [Slot(count * world, tuple(here[n * world : (n + 1) * world])) for n in range(count)]


def share_out(used: Mapping[str, Sequence[int]], world: int) -> list[dict[str, list[int]]]:
    """Devices of slots by host: as many on each host as it holds whole; hosts smaller than a slot are put together."""
    made: list[dict[str, list[int]]] = []
    part: dict[str, list[int]] = {}
    for host, devices in used.items():
        left = list(devices)
        if not left:
            continue
        if part or len(left) < world:
            missing = world - sum(map(len, part.values()))
            part[host], left = left[:missing], left[missing:]
            if len(part[host]) == missing:
                made.append(part)
                part = {}
        while not part and len(left) >= world:
            made.append({host: left[:world]})
            left = left[world:]
    return made


def local_devices(kind: str) -> list[str]:
    """This host's GPUs that may be used, by their names for CUDA_VISIBLE_DEVICES."""
    if kind == "cpu":
        return []
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name.strip() for name in given.split(",") if name.strip()]
    return [str(number) for number in range(len(list(Path("/dev").glob("nvidia[0-9]*"))))]


def _enough(count: int, there: int, world: int, devices: str) -> None:
    if count <= there:
        return
    right = f"search.slots = {there}" if there else "a smaller layout, or parallel.hostfile with more devices"
    raise ConfigError(
        f"search.slots: {count} trials at a time of {world} ranks each do not fit on the devices, {devices}; use {right}."
    )


def _include(part: Mapping[str, Sequence[int]]) -> str:
    return "@".join(f"{host}:{','.join(map(str, devices))}" for host, devices in part.items())
