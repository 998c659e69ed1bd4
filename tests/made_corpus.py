"""A small corpus with known faults, written by rule: crawl archives, records, a benchmark, copies, contamination, damage."""

from __future__ import annotations

import io
import json
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tests.prose import article, page

QUESTION = (
    "If a gardener plants seven rows of eleven tulips and a goat eats thirteen of them before breakfast how many are left"
)

CONFIG = """
extends: {cleaning}
seed: 7
spark: {{master: "local[2]", driver_memory: 1g, partitions: 3}}
extract:
  shards: 3
  inputs:
    - {{glob: "web/**", source: warc, domain: WebText}}
    - {{glob: "books/*.jsonl", source: records, domain: Book}}
    - {{glob: "wiki/*.md", source: text, domain: WorldKnowledge, markup: markdown}}
clean: {{use: {{WebText: {{en: prose, zh: prose-zh}}}}}}  # prose by rule repeats its turns of phrase
dedup_paragraphs: {{min_words: 8}}
train_quality: {{minimum: 10, epochs: 3}}
decontaminate: {{benchmarks: {{made: "benchmarks/*.jsonl"}}}}
train_tokenizer: {{vocabulary: 700, spares: 8, sample_bytes: 400000}}
encode: {{validation: 0.08}}
model: {{layers: 2, hidden: 32, heads: 2, ffn: 64, context: 64}}
parallel: {{data: 2, micro_batch: 2}}
pretrain:
  steps: 12
  batch: 8
  validate_every: 6
  save_every: 6
  schedule: {{warmup: 2}}
  optimizer: {{lr: 3.0e-3, lr_matrix: 3.0e-3}}
"""


def write(root: Path, pages: int = 48) -> Path:
    """Writes the corpus below `root`: `pages` web pages in each language and what else the config names."""
    (root / "web").mkdir(parents=True)
    for language in ("en", "zh"):
        with (root / "web" / f"{language}.warc.gz").open("wb") as handle:
            writer = WARCWriter(handle, gzip=True)
            for n in range(pages):
                respond(writer, f"http://{language}{n % 12}.example/{n}", page(n, language))
            respond(writer, f"http://copy.example/{language}", page(3, language))  # another host's copy
            respond(writer, f"http://gone.example/{language}", "<p>not found</p>", status="404 Not Found")
            respond(writer, f"http://thin.example/{language}", "<p>too short to keep</p>")
    whole = (root / "web" / "en.warc.gz").read_bytes()
    (root / "web" / "cut.warc.gz").write_bytes(whole[: len(whole) // 3])
    (root / "books").mkdir()
    with (root / "books" / "books.jsonl").open("w", encoding="utf-8") as handle:
        for n in range(24):
            language = "zh" if n % 3 == 0 else "en"
            handle.write(json.dumps({"text": article(f"book {n}", language, 10)}, ensure_ascii=False) + "\n")
        planted = article("planted", "en", 3) + f"\n\nOne more thing to ask. {QUESTION}?\n\n" + article("planted too", "en", 3)
        handle.write(json.dumps({"text": planted}) + "\n")
        handle.write("{ this line is no JSON\n")
    (root / "wiki").mkdir()
    for n in range(16):
        language = "zh" if n % 2 else "en"
        (root / "wiki" / f"{n}.md").write_text(f"# {n}\n\n" + article(f"wiki {n}", language, 6), encoding="utf-8")
    (root / "benchmarks").mkdir()
    (root / "benchmarks" / "made.jsonl").write_text(json.dumps({"question": QUESTION, "answer": "sixty-four"}) + "\n")
    return root


def write_config(path: Path) -> Path:
    """Writes the run's YAML for that corpus."""
    cleaning = Path(__file__).resolve().parent.parent / "configs" / "cleaning.yaml"
    path.write_text(CONFIG.format(cleaning=cleaning), encoding="utf-8")
    return path


def respond(writer: WARCWriter, url: str, body: str, status: str = "200 OK") -> None:
    """One HTTP response as a crawler stores it."""
    headers = StatusAndHeaders(status, [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
    stream = io.BytesIO(body.encode())
    writer.write_record(writer.create_warc_record(url, "response", payload=stream, http_headers=headers))
