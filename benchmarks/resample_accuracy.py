"""The mix, asked against got: tokens of every stratum of the report's Table 1, with language ratios and bands of quality.

Documents are made in memory: lengths drawn log-normally as web pages have them, two languages and a third, scores for
WebText. The stage runs on them for some token budgets and for the largest that the corpus can give. `value` is the largest
difference between asked and selected tokens as a share of those asked, over the strata in which 0.1 % is more than one
document; where one document is more, the difference is held against it (`small_strata`). The reference is what drawing each
document by itself with the wanted chance gives on the same documents, the usual way of samplers.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._one_stage import prepare
from core.config import ConfigError, load
from core.line import foreign
from datapipe.config import DataConfig
from datapipe.document import Document
from datapipe.mix.ranks import fraction
from datapipe.stages.resample import resample

ROOT = Path(__file__).resolve().parent.parent
BAR = 0.001
LANGUAGES = (("en", 0.55), ("zh", 0.4), ("de", 0.05))
CONFIG = """
extends: [{mix}/tele-flm.yaml, {mix}/quality.yaml]
spark: {{master: "local[2]", driver_memory: 2g, partitions: 4}}
extract: {{shards: 4}}
resample: {{tokens: {tokens}, on_shortfall: scale}}
"""


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="resample-accuracy", description=__doc__)
    parser.add_argument("--corpus", default="", help="not needed: the mix looks at lengths, languages and scores alone")
    parser.add_argument("--documents", type=int, default=120_000, help="documents made")
    options = parser.parse_args(arguments)
    documents = list(made(options.documents))
    largest = None
    for share in (None, 0.5, 0.1):
        with tempfile.TemporaryDirectory() as folder:
            tokens = None if share is None else int((largest or 0) * share)
            settings = configured(Path(folder), tokens)
            work = prepare(folder, "resample", documents, settings)
            facts = resample(work)
            keys = work.session.read.parquet(work.directory.path("keys")).select("stratum", "bin", "rank", "tokens").toPandas()
        largest = largest or facts["budget"]["got"]
        yield result("the largest" if share is None else f"{share:.0%} of it", facts, drawn_alone(facts, keys))
    yield refusal(documents, 3 * (largest or 1))


def made(count: int) -> Iterator[Document]:
    """Documents in the domains of Table 1, as many of each as its share asks for, but never fewer than 200."""
    draw = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        mix = configured(Path(folder), None).resample.mix
    whole = sum(share.proportion or 0 for share in mix.values())
    for domain, share in mix.items():
        own = max(200, int(count * (share.proportion or 0) / whole))
        sizes = np.minimum(draw.lognormal(6.3, 1.0, own), 30_000).astype(int) + 20
        scores = draw.beta(0.5, 0.7, own)
        languages = draw.choice([name for name, _ in LANGUAGES], own, p=[part for _, part in LANGUAGES])
        for number, (size, score, language) in enumerate(zip(sizes.tolist(), scores.tolist(), languages.tolist(), strict=True)):
            text = (f"{domain} {number} " * (size // 8 + 1))[:size]
            yield Document(domain, str(number), domain, text, language, quality=score if domain == "WebText" else None)


def configured(folder: Path, tokens: int | None) -> DataConfig:
    path = folder / "config.yaml"
    given = "null" if tokens is None else str(tokens)
    path.write_text(CONFIG.format(mix=ROOT / "configs" / "mix", tokens=given), encoding="utf-8")
    return load(path, [], DataConfig, foreign("datapipe"))


def drawn_alone(facts: dict[str, Any], keys: Any) -> float | None:
    """The largest error of taking each document by its own draw, over the measured strata without bands, if there are any."""
    worst = None
    for name, own in keys.groupby("stratum"):
        row = facts["strata"].get(name)
        if row is not None and measured(row):
            chance = row["select_tokens"] / row["available_tokens"]
            got = own[own["rank"].map(fraction) < chance]["tokens"].sum()
            worst = max(worst or 0.0, abs(got - row["select_tokens"]) / row["select_tokens"])
    return worst


def measured(row: dict[str, Any]) -> bool:
    """Whether 0.1 % of what is asked of the stratum is more than the document at its cut."""
    return bool(BAR * row["select_tokens"] > row["step"])


def result(name: str, facts: dict[str, Any], reference: float | None) -> dict[str, Any]:
    rows = facts["strata"].values()
    errors = [abs(row["selected_tokens"] - row["select_tokens"]) for row in rows]
    large = [error / row["select_tokens"] for error, row in zip(errors, rows, strict=True) if measured(row)]
    small = [error / max(1, row["step"]) for error, row in zip(errors, rows, strict=True) if not measured(row)]
    worst = max(large, default=0.0)
    return {
        "name": f"resample-accuracy.{name}",
        "value": round(worst, 6),
        "unit": "largest error, share of the tokens asked (bar 0.001)",
        "reference": "each document drawn by itself",
        "reference_value": None if reference is None else round(reference, 6),
        "ratio": round(worst / reference, 4) if reference else None,
        "strata": len(errors),
        "small_strata": {"count": len(small), "largest_error_in_documents": round(max(small, default=0.0), 3), "bar": 1},
        "budget": facts["budget"],
        "languages": facts["languages"],
    }


def refusal(documents: list[Document], tokens: int) -> dict[str, Any]:
    """A budget that the corpus cannot give must be refused, with the epochs that it would take."""
    with tempfile.TemporaryDirectory() as folder:
        settings = configured(Path(folder), tokens)
        settings = load(Path(folder) / "config.yaml", ["resample.on_shortfall=refuse"], DataConfig, foreign("datapipe"))
        try:
            resample(prepare(folder, "resample", documents, settings))
            said = ""
        except ConfigError as error:
            said = str(error)
    return {
        "name": "resample-accuracy.refusal", "value": int("epochs" in said), "unit": "refused", "reference": "must refuse",
        "reference_value": 1, "ratio": float("epochs" in said), "said": said[:300],
    }  # fmt: skip
