"""Bits per byte of a run's export by our evaluation and by lm-evaluation-harness, on the same text: equal to 1e-4, or it fails.

Each validation document stands by itself, behind the end-of-document id, in blocked windows, and its end is not predicted:
that is what the harness calls rolling likelihood, given our id as its prefix token. Needs a run with an export.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Iterator
from typing import Any

import torch

from core.run import Run
from trainer.data.token_data import TokenData
from trainer.evaluate.config import BesideConfig
from trainer.evaluate.texts import Readable, pieces, readable, retold
from trainer.evaluate.windows import Cut, Windows

BAR = 1e-4
"""Bits per byte by which the two may differ."""


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="bpb-harness", description=__doc__)
    parser.add_argument("--run", default="runs/demo", help="a run with shards and an export")
    parser.add_argument("--tokens", type=int, default=4000, help="about how many validation tokens of each domain")
    parser.add_argument("--corpus", help="not needed")
    options = parser.parse_args(arguments)
    if importlib.util.find_spec("lm_eval") is None:
        sys.exit("bpb-harness: lm-eval is not installed; pip install -c constraints.txt -e '.[benchmark]'")
    run = Run(options.run)
    data = TokenData.read(run.stage("encode").uri)
    shared = readable(data, pieces(data, options.tokens))
    export = run.stage("export").uri
    ours = our_bits(export, shared, data.eos)
    apart = []
    for domain, documents in shared.texts.items():
        theirs = harness_bits(export, documents, data.eos)
        yield {
            "name": f"bpb-harness.{domain}",
            "value": ours[domain],
            "unit": "bits per byte",
            "reference": "lm-eval loglikelihood_rolling, bits_per_byte",
            "reference_value": theirs,
            "ratio": round(ours[domain] / theirs, 6),
            "difference": abs(ours[domain] - theirs),
            "bar": BAR,
            "bytes": sum(piece.utf8_bytes for piece in shared.documents[domain]),
            "left_out": shared.left_out,
        }
        if not abs(ours[domain] - theirs) <= BAR:
            apart.append(f"{domain} by {abs(ours[domain] - theirs):.1e}")
    if apart:
        sys.exit(f"bpb-harness: ours and the harness's differ by more than {BAR:.0e} bits per byte: {', '.join(apart)}.")


def our_bits(export: str, shared: Readable, start: int) -> dict[str, float]:
    """Bits per byte of each domain, as `evaluate` measures a model beside ours."""
    from trainer.evaluate.beside import load
    from trainer.evaluate.measure import measure, total

    model = load("export", BesideConfig(path=export, start=start), torch.device("cpu"), torch.float32)
    cut = Cut(start, model.end, model.limit, model.limit, packed=False, ends=False)
    text = Windows(retold(shared, model.encode), cut)
    return {domain: total(measure(model.losses, text, domain, 8, torch.device("cpu")).values()).bpb for domain in text.domains}


def harness_bits(export: str, documents: list[str], start: int) -> float:
    """The same by the harness, which forms its own windows, sums its own likelihoods and has a metric of its own."""
    from lm_eval.api.instance import Instance
    from lm_eval.api.metrics import bits_per_byte
    from lm_eval.models.huggingface import HFLM
    from transformers import AutoTokenizer

    # As ours, the harness is to read the name of a control token in a text as text.
    tokenizer = AutoTokenizer.from_pretrained(export, local_files_only=True, split_special_tokens=True)
    model = HFLM(pretrained=export, tokenizer=tokenizer, device="cpu", dtype="float32", batch_size=8, prefix_token_id=start)
    requests = [
        Instance(request_type="loglikelihood_rolling", doc={}, arguments=(text,), idx=number, metadata=("bpb", number, 1))
        for number, text in enumerate(documents)
    ]
    likelihoods = model.loglikelihood_rolling(requests, disable_tqdm=True)
    return float(bits_per_byte([(value, len(text.encode())) for value, text in zip(likelihoods, documents, strict=True)]))
