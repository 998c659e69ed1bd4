"""Slots: each trial has devices and cores of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import ConfigError
from trainer.config import ParallelConfig
from trainer.launch import command
from trainer.search.slots import cut, share_out


def hostfile(folder: Path, *lines: str) -> str:
    path = folder / "hosts"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def test_on_gpus_each_slot_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3,4,5")
    parallel = ParallelConfig(data=2, micro_batch=4)
    assert [slot.environment(parallel, {})["CUDA_VISIBLE_DEVICES"] for slot in cut(parallel, 2)] == ["2,3", "4,5"]
    refused = r"search\.slots: 3 trials at a time of 2 ranks each do not fit on the devices, 4 here; use search\.slots = 2"
    with pytest.raises(ConfigError, match=refused):
        cut(parallel, 3)
    with pytest.raises(ConfigError, match=r"16 ranks each .* 4 here; use a smaller layout, or parallel\.hostfile with more"):
        cut(ParallelConfig(data=16), 1)


def test_devices_that_the_launcher_cannot_tell_apart_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """DeepSpeed's launcher takes devices by number: of others it is told how many, and every trial would begin at the first."""
    names = [f"GPU-{number}a" for number in range(4)]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ",".join(names))
    alone, pair = ParallelConfig(), ParallelConfig(data=2, micro_batch=4)
    assert [slot.environment(alone, {})["CUDA_VISIBLE_DEVICES"] for slot in cut(alone, 4)] == names  # no launcher between
    with pytest.raises(
        ConfigError, match=r"CUDA_VISIBLE_DEVICES = GPU-0a,.* starts trials of 2 ranks, .* give them as numbers"
    ):
        cut(pair, 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, 5, 6, 7")
    for slot, included in zip(cut(pair, 2), ("4,5", "6,7"), strict=True):
        assert f"--include=localhost:{included}" in command("pretrain", pair, [], 1, slot.environment(pair, {}))


def test_a_trial_takes_over_nothing_that_a_starter_has_set(tmp_path: Path) -> None:
    """What an sbatch script exports: two trials of one rank each would both listen on its port."""
    starter = {"MASTER_PORT": "1", "MASTER_ADDR": "x", "NODE_RANK": "1", "LANG": "C"}
    alone = ParallelConfig(device="cpu")
    for slot in cut(alone, 2):
        made = slot.environment(alone, starter)
        assert not {"MASTER_PORT", "MASTER_ADDR", "NODE_RANK"} & set(made) and made["LANG"] == "C"
    spread = ParallelConfig(data=2, hostfile=hostfile(tmp_path, "node1 slots=4"))
    slots = cut(spread, 2)
    assert [slot.environment(spread, starter)["MASTER_PORT"] for slot in slots] == [str(slot.port) for slot in slots]


def test_the_cores_of_a_host_are_shared_among_slots_and_ranks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    on_cpu = ParallelConfig(data=2, micro_batch=4, device="cpu")
    assert [slot.layout(on_cpu).threads for slot in cut(on_cpu, 4)] == [2] * 4
    given = ParallelConfig(threads=3, device="cpu")
    assert cut(given, 4)[0].layout(given).threads == 3
    # Four slots on two hosts: two of them share each host's cores.
    spread = ParallelConfig(data=2, hostfile=hostfile(tmp_path, "node1 slots=4", "node2 slots=4"))
    assert [slot.layout(spread).threads for slot in cut(spread, 4)] == [4] * 4
    assert cut(spread, 1)[0].layout(spread).threads == 8


def test_a_slot_larger_than_a_host_takes_whole_ones(tmp_path: Path) -> None:
    """A trial of 16 ranks on two hosts of 8, which has nothing to do with this host's devices."""
    parallel = ParallelConfig(tensor=8, data=2, hostfile=hostfile(tmp_path, "node1 slots=8", "node2 slots=8"))
    (slot,) = cut(parallel, 1)
    assert slot.include == "node1:0,1,2,3,4,5,6,7@node2:0,1,2,3,4,5,6,7"
    started = command("pretrain", slot.layout(parallel), [], 1, slot.environment(parallel, {}))
    assert f"--include={slot.include}" in started and f"--master_port={slot.port}" in started
    assert "--force_multi" not in started  # two hosts: DeepSpeed reaches both by ssh
    with pytest.raises(ConfigError, match=r"2 trials at a time of 16 ranks each .* 8 \+ 8 of .*; use search\.slots = 1"):
        cut(parallel, 2)


def test_a_part_of_the_hosts_can_be_left_to_others(tmp_path: Path) -> None:
    hosts = hostfile(tmp_path, "node1 slots=4", "node2 slots=4")
    parallel = ParallelConfig(data=2, hostfile=hosts, include="node2@node1:1,3")
    assert [slot.include for slot in cut(parallel, 3)] == ["node1:1,3", "node2:0,1", "node2:2,3"]
    for wrong in ("node3", "node1:4", "node1:x"):
        with pytest.raises(
            ConfigError, match=rf"parallel\.include = {wrong}: {wrong} is not among the devices of .* node1 slots=4"
        ):
            cut(ParallelConfig(hostfile=hosts, include=wrong), 1)
    with pytest.raises(ConfigError, match=r"include = node1 names devices of a hostfile; give parallel\.hostfile too"):
        ParallelConfig(include="node1")


def test_a_single_host_is_reached_by_ssh_unless_it_is_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "node1.cluster")
    for name, elsewhere in (("node2", True), ("node1", False), ("localhost", False)):
        parallel = ParallelConfig(data=2, hostfile=hostfile(tmp_path, f"{name} slots=2"))
        assert ("--force_multi" in command("pretrain", parallel, [], 1, {})) == elsewhere


@given(hosts=st.lists(st.integers(0, 9), min_size=1, max_size=6), world=st.integers(1, 12))
def test_no_device_is_in_two_slots_and_a_slot_that_fits_into_a_host_lies_in_one(hosts: list[int], world: int) -> None:
    used = {f"node{number}": range(count) for number, count in enumerate(hosts)}
    made = share_out(used, world)
    taken = [(host, device) for part in made for host, devices in part.items() for device in devices]
    assert len(taken) == len(set(taken)) == len(made) * world
    assert all(device in used[host] for host, device in taken)
    if all(count >= world for count in hosts):
        assert all(len(part) == 1 for part in made) and len(made) == sum(count // world for count in hosts)
