"""Starts ranks: builds the `deepspeed` command with its environment, and starts it again where ranks have died.

Nothing here imports torch: what can be refused is refused before a process is started.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from core.config import ConfigError, plain
from core.line import fingerprint, stage
from core.ports import free_ports
from core.run import Run
from core.storage import is_local
from trainer import group
from trainer.config import ParallelConfig, TrainConfig, local_threads
from trainer.evaluate.benchmarks.companion import followed
from trainer.nodes import BY_A_PERSON, Nodes, check_environment
from trainer.rank import REFUSED, STOPPED

_JOBS = Path(__file__).resolve().parent.parent / "jobs"
_SECONDS_BETWEEN_STARTS = 3.0
# Ended well, refused, stopped by the monitor, or by a person: another start would not mend it.
_FINAL = (0, REFUSED, STOPPED, BY_A_PERSON)


def check_mounted(name: str, uri: str) -> None:
    """Refuses a run, given by the setting of that name, whose checkpoints and logs would lie in an object store."""
    if not is_local(uri):
        raise ConfigError(
            f"{name} = {uri}: checkpoints need a file system that every node has mounted, not an object store; "
            "give such a path."
        )


def check_run(config: TrainConfig) -> None:
    """Refuses a folder that no run can be trained in, or that this node does not see."""
    check_mounted("run", config.run)
    run = Run(config.run)
    run.stage("encode").require()
    run.prepare()


def check(config: TrainConfig) -> None:
    """Refuses what a rank or DeepSpeed's launcher would refuse, before any is started."""
    config.for_tokenizer(Run(config.run).stage("encode").require()["tokenizer"]["vocab_size"])
    if config.parallel.hostfile is not None and "NODE_RANK" not in os.environ:
        needed = ["ssh", "pdsh"] if _elsewhere(hosts(config.parallel)) else ["ssh"]
        if missing := [tool for tool in needed if shutil.which(tool) is None]:
            raise ConfigError(
                f"parallel.hostfile = {config.parallel.hostfile}: DeepSpeed reaches its nodes by {' and '.join(needed)}, and "
                f"this host has no {' and no '.join(missing)}; install what is missing, or start this command on every node "
                "with NODE_RANK, MASTER_ADDR and MASTER_PORT in its environment (docs/cluster.md)."
            )


def fingerprint_of(config: TrainConfig) -> str:
    """What the finished stage's manifest will carry."""
    return fingerprint(stage("pretrain"), plain(config), {"encode": Run(config.run).stage("encode").require()["fingerprint"]})


def environment(parallel: ParallelConfig, local_ranks: int, inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of a launcher on this host: its cores shared among its ranks, DeepSpeed told where it runs.

    `--bind_cores_to_rank` is not used: it needs numactl, and fails with more ranks than cores.
    """
    made = dict(inherited)
    made["OMP_NUM_THREADS"] = str(local_threads(parallel, local_ranks))
    if parallel.device != "auto":
        made["DS_ACCELERATOR"] = parallel.device
    elif not Path("/dev/nvidiactl").exists():
        made.setdefault("DS_ACCELERATOR", "cpu")  # for DeepSpeed's own launcher, which else warns; a rank says what it takes
    made.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    made.setdefault("TOKENIZERS_PARALLELISM", "false")
    made["PYTHONPATH"] = os.pathsep.join([str(_JOBS.parent), *filter(None, [made.get("PYTHONPATH")])])
    return made


def slots(hostfile: str) -> dict[str, int]:
    """Ranks of each host of a hostfile. Raises ConfigError."""
    found: dict[str, int] = {}
    try:
        text = Path(hostfile).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"parallel.hostfile = {hostfile}: cannot be read ({error.strerror}).") from None
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or not words[1].startswith("slots=") or not words[1][6:].isdigit():
            raise ConfigError(f"{hostfile}, line {number}: '{line}' is not of the form `host slots=8`.")
        found[words[0]] = int(words[1][6:])
    return found


def hosts(parallel: ParallelConfig) -> dict[str, list[int]]:
    """Devices of each host of the hostfile that a run uses, in the file's order. Raises ConfigError."""
    have = {host: list(range(count)) for host, count in slots(parallel.hostfile or "").items()}
    if parallel.include is None:
        return have
    used: dict[str, list[int]] = {}
    for part in parallel.include.split("@"):
        host, _, devices = part.partition(":")
        named = [int(device) if device.isdigit() else -1 for device in devices.split(",")] if devices else have.get(host, [])
        if host not in have or not set(named) <= set(have[host]):
            raise ConfigError(
                f"parallel.include = {parallel.include}: {part} is not among the devices of {parallel.hostfile}; "
                f"use host:device,device joined by @, of {', '.join(f'{name} slots={len(have[name])}' for name in have)}."
            )
        used[host] = sorted(set(named))
    return {host: used[host] for host in have if host in used}


def command(name: str, parallel: ParallelConfig, given: Sequence[str], port: int, node: Mapping[str, str]) -> list[str]:
    """The command a user would type: deepspeed --num_gpus N ... jobs/NAME.py ...

    With a hostfile DeepSpeed reaches the other nodes by ssh. Where something else (Slurm) starts this command on every
    node, it sets NODE_RANK and MASTER_ADDR in `node`, the process environment, and no ssh is used.
    """
    launcher = Path(sys.executable).with_name("deepspeed")
    made = [str(launcher) if launcher.exists() else "deepspeed", "--log_level=critical", "--no_local_rank"]
    if parallel.hostfile is None:
        named = [name for name in node.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.isdigit()]
        if parallel.device != "cpu" and len(named) >= parallel.world:
            # With --num_gpus DeepSpeed drops this variable, and two runs of one host would share the first devices.
            made.append(f"--include=localhost:{','.join(named[: parallel.world])}")
        else:
            made.append(f"--num_gpus={parallel.world}")
    else:
        used = hosts(parallel)
        if (ranks := sum(map(len, used.values()))) != parallel.world:
            raise ConfigError(
                f"parallel.hostfile = {parallel.hostfile} has {ranks} slots, "
                f"tensor x pipeline x data needs {parallel.world}; change one of them."
            )
        split = [f"{host} ({len(devices)})" for host, devices in used.items() if len(devices) % parallel.tensor]
        if split:
            raise ConfigError(
                f"parallel.tensor = {parallel.tensor} does not divide the slots of {', '.join(split)} in {parallel.hostfile}: "
                "a group of tensor ranks would lie on two nodes; use a multiple of it as slots, or fewer tensor ranks."
            )
        made.append(f"--hostfile={parallel.hostfile}")
        if parallel.include is not None:
            made.append(f"--include={parallel.include}")
        if "NODE_RANK" in node:
            check_environment(node, len(used))
            made += ["--no_ssh", f"--node_rank={node['NODE_RANK']}", f"--master_addr={node['MASTER_ADDR']}"]
        elif len(used) == 1 and _elsewhere(used):
            made.append("--force_multi")  # DeepSpeed starts a single host's ranks on the host it runs on, whatever its name
        port = int(node.get("MASTER_PORT", port))
    return [*made, f"--master_port={port}", str(_JOBS / f"{name}.py"), *given]


def launch(name: str, config: TrainConfig, given: Sequence[str]) -> int:
    """Runs a job on all ranks and returns its exit status; `given` are the job's own arguments.

    A run whose ranks died (not one that was refused, or that the monitor stopped) is started again up to
    `parallel.restarts` times; it goes on from its newest whole checkpoint by itself. Where this command is started on every
    node, the launchers wait for each other, and what one refuses ends all. On the first node the checkpoints are scored as
    they appear, where `benchmark.folder` is set.
    """
    check_run(config)
    run, many = Run(config.run), config.parallel.hostfile is not None and "NODE_RANK" in os.environ
    nodes = Nodes.here(run, os.environ) if many else None
    with nodes.told_of_errors() if nodes is not None else nullcontext():
        if run.stage(name).is_done(fingerprint_of(config)):
            _say(f"{name}: up to date")
            return 0
        check(config)
        with followed(config, given) if os.environ.get("NODE_RANK", "0") == "0" else nullcontext():
            return _supervised(name, config, given, nodes)


def _supervised(name: str, config: TrainConfig, given: Sequence[str], nodes: Nodes | None) -> int:
    parallel, inherited = config.parallel, dict(os.environ)
    used = hosts(parallel) if parallel.hostfile else {"localhost": list(range(parallel.world))}
    env = environment(parallel, len(next(iter(used.values()))), inherited)
    for start in range(parallel.restarts + 1):
        if nodes is not None:
            env |= nodes.environment(start)
            if start:  # what is left of the ranks of an earlier start may still hold its port
                inherited["MASTER_PORT"] = str(int(os.environ["MASTER_PORT"]) + start)
        finished = fingerprint_of(config)
        status = group.run(command(name, parallel, given, free_ports(1)[0], inherited), env)
        # DeepSpeed's launcher ends with 0 where a signal has killed what it had started.
        early = status == 0 and inherited.get("NODE_RANK", "0") == "0" and not Run(config.run).stage(name).is_done(finished)
        status = 1 if early else status
        if nodes is not None:
            nodes.mark(start, status)
        if status in _FINAL:
            return status
        _say(f"{name}: {'ended before it was done, its launcher was killed' if early else f'a rank {_how(status)}'}.")
        if start < parallel.restarts:
            if nodes is not None and (reason := _others(nodes, start, len(used), 60 * parallel.timeout_minutes)) is not None:
                _say(f"{name}: not started again, {reason}.")
                return status
            _say(f"{name}: started again, {start + 1} of {parallel.restarts}.")
            time.sleep(_SECONDS_BETWEEN_STARTS)
    return status


def _others(nodes: Nodes, start: int, count: int, seconds: float) -> str | None:
    """Why the run cannot be started again on all nodes; None when it can, at which time the ranks of all have ended."""
    ended = nodes.wait(start, count, seconds)
    if missing := set(range(count)) - set(ended):
        return f"node {', '.join(map(str, sorted(missing)))} has not said within {seconds:.0f} s that its ranks have ended"
    return next((f"node {node} has ended with status {status}" for node, status in ended.items() if status in _FINAL), None)


def _elsewhere(used: Mapping[str, Sequence[int]]) -> bool:
    """Whether a hostfile names others than this host; one that cannot be told is reached by ssh, which serves as well."""
    here = {"localhost", "127.0.0.1", socket.gethostname().split(".")[0]}
    return any(host not in here and host.split(".")[0] not in here for host in used)


def _how(status: int) -> str:
    signal = 256 - status if status > 200 else status - 128 if status > 128 else 0
    if not signal:
        return f"ended with status {status}"
    return f"was killed by signal {signal}" + (", which is what a machine out of memory sends" if signal == 9 else "")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """`python -m trainer.launch --config FILE key=value`: what `make pretrain` starts, for other starters (Slurm)."""
    from core.job import guarded, parser, settings

    arguments = parser(main.__doc__ or "", TrainConfig, ("model", "parallel", "pretrain")).parse_args()

    def work() -> None:
        config = settings(arguments, TrainConfig, "trainer")
        sys.exit(launch("pretrain", config, ["--config", arguments.config, *arguments.overrides]))

    guarded(work)


if __name__ == "__main__":
    main()
