"""Encoded shards to train on: documents that count upwards, in two domains, so that a small network learns within seconds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import yaml

from core import storage
from tokenizer.shards import ShardWriter

END, PADDING, FIRST, SYMBOLS = 2, 3, 8, 50


def write_encoded(run: Path, documents: int = 60, code: float = 0.3) -> None:
    """RUN/encode as the stage `encode` leaves it; `code`: the share of Code in the mix."""
    draw = random.Random(4)
    folder = run / "encode"
    shards: list[dict[str, Any]] = []
    for domain, stride in (("WebText", 1), ("Code", 3)):
        for split, count in (("train", documents), ("validation", 6)):
            path = f"{domain}/{split}-00000"
            lengths = [draw.randrange(10, 60) for _ in range(count)]
            with ShardWriter(str(folder / path), "uint16") as writer:
                for length in lengths:
                    start = draw.randrange(SYMBOLS)
                    ids = [FIRST + (start + stride * place) % SYMBOLS for place in range(length)]
                    writer.add([*ids, END], "en", 3 * length)
            assert writer.written is not None
            facts = {"path": path, "domain": domain, "split": split, "documents": count, "sequences": count}
            facts |= {"tokens": sum(lengths) + count, "utf8_bytes": 3 * sum(lengths), "languages": {"en": count}}
            shards.append({**facts, "sha256": dict(writer.written.sha256)})
    mix = {"WebText": {"proportion": 1 - code, "epochs": 1.0}, "Code": {"proportion": code, "epochs": 1.0}}
    tokenizer = {"path": "tokenizer.json", "sha256": "0", "vocab_size": 58, "unk": 0, "bos": 1, "eos": END, "pad": PADDING}
    manifest = {"stage": "encode", "fingerprint": f"{code} of Code", "shards": shards, "mix": mix, "tokenizer": tokenizer}
    storage.write_json(str(folder / "manifest.json"), manifest)


def write_config(path: Path, **pretrain: Any) -> Path:
    """A run's YAML for two ranks."""
    tree = {
        "seed": 1,
        "model": {"layers": 2, "hidden": 32, "heads": 2, "ffn": 64, "context": 32, "vocab_multiple": 16, "base_hidden": 16},
        "parallel": {"data": 2, "micro_batch": 2, "device": "cpu", "threads": 1},
        "pretrain": {
            "steps": 24, "batch": 8, "ramp": [[5, 4]], "save_every": 8, "validate_every": 12, "schedule": {"warmup": 4},
            "optimizer": {"lr": 6e-3, "lr_matrix": 1.2e-2}, **pretrain,
        },
    }  # fmt: skip
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return path
