"""What `encode` left for the trainer: the manifest of the token shards, checked against the files it names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core import storage
from tokenizer.shards import DamagedShard, Shard, dtype_for, file_sizes


class TokenDataError(ValueError):
    """Token shards that cannot be trained on; the message says what is missing and what would be right."""


@dataclass(frozen=True)
class ShardFacts:
    """One shard as the manifest has it; `open()` maps its files. `languages` is the order of the language codes."""

    path: str
    documents: int
    tokens: int
    utf8_bytes: int
    sha256: Mapping[str, str]
    languages: tuple[str, ...]

    def open(self) -> Shard:
        return Shard(self.path)


@dataclass(frozen=True)
class DomainTokens:
    """One domain of the mix: its share of the training tokens, how often its text may be seen, and its shards."""

    name: str
    proportion: float
    epochs: float
    train: tuple[ShardFacts, ...]
    validation: tuple[ShardFacts, ...]

    @cached_property
    def train_tokens(self) -> int:
        return sum(shard.tokens for shard in self.train)

    @cached_property
    def validation_tokens(self) -> int:
        return sum(shard.tokens for shard in self.validation)


@dataclass(frozen=True)
class TokenData:
    """All that a run trains and validates on. `TokenData.read(folder)` reads it; the order of domains is the mix's."""

    folder: str
    domains: tuple[DomainTokens, ...]
    vocabulary: int
    eos: int
    pad: int
    tokenizer: str
    """Path of tokenizer.json."""
    tokenizer_sha256: str

    def domain(self, name: str) -> DomainTokens:
        for domain in self.domains:
            if domain.name == name:
                return domain
        known = ", ".join(domain.name for domain in self.domains)
        raise TokenDataError(f"{self.folder}: has no domain '{name}'; it has {known}.")

    @classmethod
    def read(cls, folder: str, verify: bool = False) -> TokenData:
        """Reads `folder`/manifest.json and compares the size of every file with it; `verify` also their checksums.

        Raises TokenDataError where there is nothing to train on, DamagedShard where a file is not what was written.
        """
        uri = storage.join(folder, "manifest.json")
        if not storage.exists(uri):
            raise TokenDataError(f"{uri}: does not exist; run the stage `encode` first.")
        manifest: dict[str, Any] = storage.read_json(uri)
        about = manifest["tokenizer"]
        shards: dict[tuple[str, str], list[ShardFacts]] = {}
        for entry in manifest["shards"]:
            facts = _facts(folder, entry)
            _check_sizes(facts, dtype_for(about["vocab_size"]))
            if verify:
                facts.open().verify(facts.sha256)
            shards.setdefault((entry["domain"], entry["split"]), []).append(facts)
        domains = tuple(
            DomainTokens(
                name,
                float(mix["proportion"]),
                float(mix["epochs"]),
                tuple(shards.get((name, "train"), ())),
                tuple(shards.get((name, "validation"), ())),
            )
            for name, mix in manifest["mix"].items()
        )
        empty = [domain.name for domain in domains if not domain.train_tokens]
        if empty or not domains:
            raise TokenDataError(
                f"{uri}: the mix has no training tokens for {', '.join(empty) or 'any domain'}; "
                "take the domain out of the mix or give its sources text."
            )
        return cls(
            folder=folder,
            domains=domains,
            vocabulary=int(about["vocab_size"]),
            eos=int(about["eos"]),
            pad=int(about["pad"]),
            tokenizer=os.path.normpath(os.path.join(storage.local_path(folder), about["path"])),
            tokenizer_sha256=str(about["sha256"]),
        )


def _facts(folder: str, entry: Mapping[str, Any]) -> ShardFacts:
    return ShardFacts(
        path=storage.local_path(storage.join(folder, entry["path"])),
        documents=int(entry["documents"]),
        tokens=int(entry["tokens"]),
        utf8_bytes=int(entry["utf8_bytes"]),
        sha256=dict(entry["sha256"]),
        languages=tuple(sorted(entry.get("languages", {}))),
    )


def _check_sizes(shard: ShardFacts, dtype: np.dtype[Any]) -> None:
    """Sizes alone, so that thousands of shards are checked in a moment; opening one checks its index as well."""
    for ending, expected in file_sizes(shard.documents, shard.tokens, dtype).items():
        path = f"{shard.path}.{ending}"
        size = os.path.getsize(path) if os.path.exists(path) else None
        if size != expected:
            found = "is missing" if size is None else f"has {size:,} bytes"
            raise DamagedShard(f"{path}: {found}, the manifest asks for {expected:,}; encode the shard again.")
