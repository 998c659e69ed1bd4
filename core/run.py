"""A run's directory: one folder a stage, and what is needed to repeat the run.

RUN/config.yaml            every setting as it was resolved
RUN/run.json               versions, git commit, command lines, start
RUN/<stage>/began.json     the fingerprint of the work under way: work with the same one goes on where it stopped
RUN/<stage>/manifest.json  written last: the stage is done, and this is what it did
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from core import __version__, storage
from core.config import ConfigError

_PACKAGES = ("pyspark", "pyarrow", "numpy", "lxml", "warcio", "fasttext", "tokenizers", "torch", "deepspeed")


class StageDirectory:
    """The folder of one stage in a run."""

    def __init__(self, uri: str, name: str) -> None:
        self.uri = uri
        self.name = name

    def path(self, *parts: str) -> str:
        return storage.join(self.uri, *parts)

    def manifest(self) -> dict[str, Any] | None:
        """What the stage wrote when it ended, or None while it is not done."""
        uri = self.path("manifest.json")
        return dict(storage.read_json(uri)) if storage.exists(uri) else None

    def require(self) -> dict[str, Any]:
        """The manifest of a stage that must be done."""
        manifest = self.manifest()
        if manifest is None:
            raise ConfigError(f"{self.uri}: the stage '{self.name}' is not done; run `make {self.name}` on this run first.")
        return manifest

    def is_done(self, fingerprint: str) -> bool:
        manifest = self.manifest()
        return manifest is not None and manifest.get("fingerprint") == fingerprint

    def began(self) -> dict[str, Any] | None:
        """What `begin` wrote: the fingerprint, the time, and the facts it was given; None for a stage never begun."""
        path = self.path("began.json")
        return dict(storage.read_json(path)) if storage.exists(path) else None

    def begin(
        self, fingerprint: str, keep: Sequence[str] = (), set_aside: bool = False, facts: Mapping[str, Any] | None = None
    ) -> str | None:
        """Makes the folder ready for work with this fingerprint.

        What is there goes on being used if it was begun with the same fingerprint. Otherwise it is removed, save the
        names in `keep` (caches that carry their own keys), or moved beside with `set_aside` (a training run is too dear
        to remove because a setting changed); then the return value says where to.
        """
        aside = None
        if (before := self.began()) is not None:
            old = before["fingerprint"]
            if old == fingerprint:
                storage.sweep(self.uri)
                storage.remove(self.path("manifest.json"))
                return None
            if set_aside:
                here = storage.local_path(self.uri)
                aside = f"{here}-{old[:8]}"
                if os.path.lexists(aside):  # the same settings were left before
                    aside = next(name for n in count(2) if not os.path.lexists(name := f"{aside}-{n}"))
                os.replace(here, aside)
            else:
                storage.remove(self.path("manifest.json"))
                self._clear(keep)
        storage.write_json(self.path("began.json"), {"fingerprint": fingerprint, "at": _now(), **(facts or {})})
        return aside

    def _clear(self, keep: Sequence[str]) -> None:
        if storage.is_local(self.uri):
            for entry in Path(storage.local_path(self.uri)).iterdir():
                if entry.name not in keep:
                    storage.remove(str(entry))
            return
        for info in storage.listing(self.uri):
            below = info.uri[len(self.uri) :].lstrip("/")
            if below.split("/")[0] not in keep:
                storage.remove(info.uri)

    def commit(self, fingerprint: str, facts: Mapping[str, Any], seconds: float) -> None:
        """Writes the manifest: the stage is done."""
        manifest = {"stage": self.name, "fingerprint": fingerprint, "seconds": round(seconds, 2), "at": _now(), **facts}
        storage.write_json(self.path("manifest.json"), manifest)


class Run:
    """A run's directory, by path or URI."""

    def __init__(self, uri: str) -> None:
        if not uri:
            raise ConfigError("run: no run directory given; add run=runs/NAME.")
        if storage.is_local(uri):
            path = Path(storage.local_path(uri)).resolve()
            self.uri = str(path)
        else:
            self.uri = uri.rstrip("/")

    def stage(self, name: str) -> StageDirectory:
        return StageDirectory(storage.join(self.uri, name), name)

    def training(self) -> str | None:
        """What tells the training that this folder holds now from those it held before; None before any."""
        began = self.stage("pretrain").began()
        return None if began is None else str(began["fingerprint"])

    def prepare(self) -> None:
        """Creates the directory and makes sure that it can be written to."""
        if any(mark in self.uri for mark in "*?[]{}"):
            raise ConfigError(
                f"run = {self.uri}: holds one of * ? [ ] {{ }}, which Spark reads as a pattern; use another name."
            )
        # A name of its own: the launchers of many nodes do this at once, and must not remove each other's.
        probe = storage.join(self.uri, f".writable-{uuid.uuid4().hex[:8]}")
        try:
            storage.write_text(probe, "")
            storage.remove(probe)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ConfigError(f"run = {self.uri}: cannot be written to ({reason}); choose another with run=PATH.") from None

    def record(self, settings: Mapping[str, Any]) -> None:
        """Writes down what is needed to repeat the run; sections recorded by another package stay."""
        config_uri, facts_uri = storage.join(self.uri, "config.yaml"), storage.join(self.uri, "run.json")
        known = yaml.safe_load(storage.read_text(config_uri)) if storage.exists(config_uri) else {}
        text = yaml.safe_dump({**known, **settings}, allow_unicode=True, sort_keys=False)
        if not storage.exists(config_uri) or storage.read_text(config_uri) != text:
            storage.write_text(config_uri, text)
        facts = storage.read_json(facts_uri) if storage.exists(facts_uri) else {"began": _now(), "commands": []}
        command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
        facts["commands"] = [*facts["commands"][-49:], {"at": _now(), "command": command}]
        facts.update(version=__version__, commit=git_commit(), python=platform.python_version(), packages=_versions())
        storage.write_json(facts_uri, facts)


def git_commit() -> str | None:
    """The commit of the checkout that this code stands in, with '+' where it has changes; None outside a checkout."""
    folder = Path(__file__).resolve().parent
    try:
        commit = subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        dirty = subprocess.run(
            ["git", "-C", str(folder), "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit.stdout.strip() + ("+" if dirty.stdout.strip() else "")


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # a GPU node has no Spark, a Spark node no torch
    return found


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
