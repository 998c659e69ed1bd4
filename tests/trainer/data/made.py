"""Small token shards for the tests: every token names its domain, document and place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core import storage
from tokenizer.shards import ShardWriter
from trainer.data import TokenData

EOS, PAD, FIRST = 2, 3, 8


def write(
    folder: Path,
    lengths: Mapping[str, Sequence[Sequence[int]]],
    proportions: Mapping[str, float],
    held: Mapping[str, Sequence[int]] | None = None,
    epochs: Mapping[str, float] | None = None,
) -> TokenData:
    """`lengths`: tokens of each document, end included, by domain and shard; `held`: the same for held-out documents.

    Ids count up from FIRST through everything that is written, so that each id stands once in the whole corpus.
    """
    following = FIRST
    shards: list[dict[str, Any]] = []
    for split, domains in (("train", lengths), ("validation", {name: [sizes] for name, sizes in (held or {}).items()})):
        for domain, parts in domains.items():
            for number, sizes in enumerate(parts):
                path = f"{domain}/{split}-{number:05d}"
                with ShardWriter(str(folder / path), "int32") as writer:
                    for place, size in enumerate(sizes):
                        writer.add([*range(following, following + size - 1), EOS], ("en", "zh")[place % 2], 3 * size)
                        following += size - 1
                assert writer.written is not None
                entry = {"path": path, "domain": domain, "split": split, "documents": len(sizes)}
                entry |= {"tokens": sum(sizes), "utf8_bytes": 3 * sum(sizes), "sha256": dict(writer.written.sha256)}
                shards.append({**entry, "languages": dict(writer.written.languages)})
    mix = {name: {"proportion": share, "epochs": (epochs or {}).get(name, 1.0)} for name, share in proportions.items()}
    tokenizer = {"path": "tokenizer.json", "sha256": "0", "vocab_size": 80_000, "eos": EOS, "pad": PAD}
    storage.write_json(str(folder / "manifest.json"), {"shards": shards, "mix": mix, "tokenizer": tokenizer})
    return TokenData.read(str(folder))
