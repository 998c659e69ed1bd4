"""A run that has been encoded and trained, written by hand: two domains, a small vocabulary, a network as it was drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from core import storage
from tokenizer.config import TokenizerConfig
from tokenizer.shards import ShardWriter
from tokenizer.train import save, train
from trainer.checkpoint import consolidate
from trainer.config import ModelConfig, TrainConfig
from trainer.model.initial import initialise
from trainer.model.network import Network

VOCABULARY = 290
TEXTS = {
    "WebText": [
        "The river rose in the night, and by the morning the lower road was gone. " * 3,
        "Rain again. " * 9,
        "夜里下了一场大雨。" * 7,
    ],
    "Code": ["def add(a, b):\n    return a + b\n" * 4, "for line in lines:\n    print(line)\n" * 5],
}
LANGUAGES = {"WebText": ["en", "en", "zh"], "Code": ["code", "code"]}


def settings(root: Path, **model: Any) -> TrainConfig:
    shape: dict[str, Any] = dict(
        layers=2, hidden=32, heads=4, ffn=48, vocab_multiple=16, context=32, base_hidden=16,
        init_std=0.2, init_std_matrix=0.3, input_mult=2.0, output_mult=0.7,
    )  # fmt: skip
    return TrainConfig(run=str(root), model=ModelConfig(**{**shape, **model}))


def network(model: ModelConfig, seed: int = 1) -> Network:
    with torch.device("meta"):
        made = Network(model)
    initialise(made, "", model, seed)
    made.tie()
    return made.eval()


def write_run(root: Path, **model: Any) -> TrainConfig:
    """Writes the folders train_tokenizer, encode and pretrain; every text is both training and validation text."""
    config = settings(root, **model)
    tokenizer = train([text for texts in TEXTS.values() for text in texts], TokenizerConfig(vocabulary=VOCABULARY, spares=0))
    save(tokenizer, str(root / "train_tokenizer"))
    shards, mix = [], {}
    for domain, texts in TEXTS.items():
        codes = sorted(set(LANGUAGES[domain]))
        for split in ("train", "validation"):
            path = root / "encode" / domain / f"{split}-00000"
            path.parent.mkdir(parents=True, exist_ok=True)
            with ShardWriter(str(path), "uint16") as writer:
                for text, language in zip(texts, LANGUAGES[domain], strict=True):
                    ids = [*tokenizer.encode(text, add_special_tokens=False).ids, 2]
                    writer.add(ids, language, len(text.encode()))
            assert writer.written is not None
            shards.append(
                {
                    "path": f"{domain}/{split}-00000",
                    "domain": domain,
                    "split": split,
                    "documents": len(texts),
                    "sequences": len(texts),
                    "tokens": writer.written.tokens,
                    "sha256": dict(writer.written.sha256),
                    "utf8_bytes": sum(len(text.encode()) for text in texts),
                    "languages": {code: 1 for code in codes},
                }  # fmt: skip
            )
        tokens = shards[-1]["tokens"]
        mix[domain] = {"proportion": 0.5, "epochs": 1.0, "train_tokens": tokens, "validation_tokens": tokens}
    about = {
        "path": "../train_tokenizer/tokenizer.json",
        "sha256": "",
        "vocab_size": VOCABULARY,
        "unk": 0,
        "bos": 1,
        "eos": 2,
        "pad": 3,
    }
    _manifest(root, "encode", tokenizer=about, shards=shards, mix=mix)
    _manifest(root, "train_tokenizer")
    full = ModelConfig(**{**vars(config.model), "vocab": VOCABULARY})
    weights = dict(network(full).named_parameters())
    consolidate(
        root / "pretrain" / "checkpoints", 20, {"model": full}, {name: value.detach() for name, value in weights.items()}
    )
    _manifest(root, "pretrain", steps=20, first_loss=5.7, last_loss=5.5, tokens_per_second=100.0)
    return config


def _manifest(root: Path, stage: str, **facts: Any) -> None:
    storage.write_json(
        str(root / stage / "manifest.json"), {"stage": stage, "fingerprint": f"of {stage}", "seconds": 1.0, **facts}
    )
