"""From selected documents to token shards that the trainer reads: exact ids, no document or copy of it on both sides."""

from __future__ import annotations

import dataclasses
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from tokenizers import Tokenizer

from core.config import ConfigError
from core.run import Run
from datapipe.config import DataConfig, DomainShare, EncodeConfig, ExtractConfig, ResampleConfig, TrainTokenizerConfig
from datapipe.document import Document, to_batch
from datapipe.mix.sample import Draw, aside_bounds, sample_bounds
from datapipe.shards import Tally, read_kept, shard_facts, shard_name, write_shard
from datapipe.stages.encode import encode
from datapipe.stages.resample import resample
from datapipe.stages.train_tokenizer import announce, train_tokenizer
from datapipe.work import Work
from tests.prose import article
from tokenizer.shards import Shard
from tokenizer.train import train_by_library
from trainer.data import Blend, TokenData, Validation, unigram_nats

SHARDS = 3
MIX = {
    "WebText": DomainShare(proportion=0.75),
    "Code": DomainShare(proportion=0.2, epochs=2.0),
    "Book": DomainShare(proportion=0.05),
}
SETTINGS = DataConfig(
    extract=ExtractConfig(shards=SHARDS),
    resample=ResampleConfig(mix=MIX, minimum_documents=3),
    train_tokenizer=TrainTokenizerConfig(vocabulary=600, spares=4, sample_bytes=60_000, unseen=0.1),
    encode=EncodeConfig(validation=0.1),
)


def corpus() -> list[Document]:
    """Pages in two languages, every three of them marked as near copies; one page talks of control tokens."""
    documents = []
    for number in range(90):
        language = "zh" if number % 3 == 0 else "en"
        text = article(number, language, 2)
        cluster = f"copies {number // 3}"
        documents.append(Document(f"warc/{number % 2}.warc.gz", str(number), "WebText", text, language, cluster=cluster))
    documents.append(Document("warc/2.warc.gz", "markup", "WebText", "A page ends in </s> or <_end>, not <pad>.", "en"))
    documents += [Document("code/a.py", str(n), "Code", f"def step_{n}(x):\n\treturn x + {n}\n" * 9, "en") for n in range(20)]
    documents += [Document("book/a.txt", str(n), "Book", article(f"book {n}", "en", 4), "en") for n in range(3)]
    return documents


@dataclass
class Line:
    run: Run
    manifests: dict[str, dict[str, Any]]

    def folder(self, name: str) -> Path:
        return Path(self.run.stage(name).uri)


@pytest.fixture(scope="module")
def line(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    run = Run(str(tmp_path_factory.mktemp("run")))
    before, tally = run.stage("decontaminate"), Tally()
    for index in range(SHARDS):
        own = sorted((d for d in corpus() if int(d.id[:8], 16) % SHARDS == index), key=lambda d: d.id)
        write_shard(before.path("shards", shard_name(index)), [to_batch(own)])
        tally.merge(shard_facts(before.path("shards", shard_name(index))))
    before.commit("given", tally.facts(), 0.0)
    reads = {"resample": ["decontaminate"], "train_tokenizer": ["resample"], "encode": ["resample", "train_tokenizer"]}
    stages = {"resample": resample, "train_tokenizer": train_tokenizer, "encode": encode}
    manifests = {}
    for name, stage in stages.items():
        directory = run.stage(name)
        directory.begin("test")
        work = Work(spark, SETTINGS, directory, {other: run.stage(other) for other in reads[name]})
        directory.commit("test", stage(work), 0.0)
        manifests[name] = directory.manifest() or {}
    yield Line(run, manifests)


def selected(line: Line) -> list[dict[str, Any]]:
    rows = []
    for index in range(SHARDS):
        for batch in read_kept(str(line.folder("resample") / "shards" / shard_name(index))):
            rows += batch.to_pylist()
    return rows


def test_each_shard_holds_its_documents_in_order_encoded_exactly(line: Line) -> None:
    reference = Tokenizer.from_file(str(line.folder("train_tokenizer") / "tokenizer.json"))
    reference.encode_special_tokens = True
    found: dict[tuple[str, int], list[list[int]]] = {}
    for entry in line.manifests["encode"]["shards"]:
        shard = Shard(str(line.folder("encode") / entry["path"]))
        shard.verify(entry["sha256"])
        index = int(entry["path"][-5:])
        found.setdefault((entry["domain"], index), []).extend(shard[n].tolist() for n in range(len(shard)))
    wanted: dict[tuple[str, int], list[list[int]]] = {}
    for row in selected(line):
        ids = reference.encode(row["text"], add_special_tokens=False).ids
        wanted.setdefault((row["domain"], int(row["id"][:8], 16) % SHARDS), []).append([*ids, 2])
    assert {key: sorted(rows) for key, rows in found.items()} == {key: sorted(rows) for key, rows in wanted.items()}


def test_control_ids_end_documents_and_stand_nowhere_else(line: Line) -> None:
    for entry in line.manifests["encode"]["shards"]:
        shard = Shard(str(line.folder("encode") / entry["path"]))
        low = shard.tokens[shard.tokens < 12]
        assert set(low.tolist()) == {2} and len(low) == entry["documents"]


def test_copies_are_on_one_side(line: Line) -> None:
    reference = Tokenizer.from_file(str(line.folder("train_tokenizer") / "tokenizer.json"))
    cluster_of = {row["text"]: row["cluster"] for row in selected(line) if row["cluster"]}
    splits: dict[str, set[str]] = {}
    for entry in line.manifests["encode"]["shards"]:
        shard = Shard(str(line.folder("encode") / entry["path"]))
        for number in range(len(shard)):
            cluster = cluster_of.get(reference.decode(shard[number].tolist()))
            if cluster:
                splits.setdefault(cluster, set()).add(entry["split"])
    assert set().union(*splits.values()) == {"train", "validation"}
    assert all(len(sides) == 1 for sides in splits.values())


def test_every_domain_has_held_out_text_and_the_counts_add_up(line: Line) -> None:
    manifest = line.manifests["encode"]
    rows = selected(line)
    assert manifest["in"] == manifest["kept"] == len(rows) and manifest["removed"] == 0
    assert set(manifest["mix"]) == set(MIX)
    for domain, counts in manifest["mix"].items():
        assert counts["validation_tokens"] > 0 and counts["train_tokens"] > 0
        own = [entry for entry in manifest["shards"] if entry["domain"] == domain]
        assert sum(entry["utf8_bytes"] for entry in own) == sum(len(r["text"].encode()) for r in rows if r["domain"] == domain)
        assert sum(sum(entry["languages"].values()) for entry in own) == sum(entry["tokens"] for entry in own)
    assert manifest["engines"] == ["fastokens"]


def test_documents_tokens_and_bytes_are_counted_by_domain_language_and_source(line: Line) -> None:
    manifest, rows = line.manifests["encode"], selected(line)
    counts = manifest["counts"]
    for table, keys in {
        "by_domain": [row["domain"] for row in rows],
        "by_language": [row["language"] for row in rows],
        "by_source": [row["source"].split("/")[0] for row in rows],
    }.items():
        assert {name: row["documents"] for name, row in counts[table].items()} == Counter(keys)
        assert sum(row["tokens"] for row in counts[table].values()) == manifest["tokens"]
        assert sum(row["utf8_bytes"] for row in counts[table].values()) == sum(len(row["text"].encode()) for row in rows)
    assert counts["by_language"]["zh"]["utf8_bytes"] == sum(len(r["text"].encode()) for r in rows if r["language"] == "zh")
    for entry in manifest["shards"]:
        assert {name: row["tokens"] for name, row in entry["by_language"].items()} == entry["languages"]


def test_the_trainer_reads_what_was_encoded(line: Line) -> None:
    data = TokenData.read(str(line.folder("encode")), verify=True)
    assert Path(data.tokenizer).is_file() and data.vocabulary == 600
    assert data.domain("Code").epochs == 2.0
    blend = Blend(data, context=64, seed=1)
    tokens, domains = blend.sequences(0, 200)
    assert tokens.max() < 600 and abs((domains == 0).mean() - 0.75) < 0.01
    validation = Validation(data, context=64)
    assert validation.domains == list(MIX)
    languages = validation.documents("WebText")["language"]
    assert set(languages) <= {"en", "zh"}
    nats = unigram_nats(data)
    for domain in MIX:
        held = [nats[batch.tokens[:, 1:][batch.mask]] for batch in validation.batches(domain, 8)]
        assert np.concatenate(held).mean() < np.log(600)


def test_the_sample_follows_the_mix_and_is_written_down(line: Line) -> None:
    sample = line.manifests["train_tokenizer"]["sample"]
    assert sample["documents"] == sum(counts["documents"] for counts in sample["by_domain"].values())
    assert sample["by_domain"]["Book"]["bytes"] < sample["by_domain"]["Code"]["bytes"] < sample["by_domain"]["WebText"]["bytes"]
    assert set(sample["by_language"]) == {"en", "zh"}


def test_some_text_is_put_aside_and_no_near_copy_of_it_is_trained_on(line: Line) -> None:
    aside = pq.read_table(line.folder("train_tokenizer") / "unseen").to_pylist()
    rows = selected(line)
    clusters = {row["text"]: row["cluster"] or row["id"] for row in rows}
    held = {clusters[row["text"]] for row in aside}
    assert held and {row["text"] for row in aside} == {row["text"] for row in rows if clusters[row["text"]] in held}
    sample = line.manifests["train_tokenizer"]["sample"]
    assert sample["documents"] <= len(rows) - len(aside)


def test_the_vocabulary_is_the_one_that_the_library_learns_from_the_text_that_was_drawn(line: Line) -> None:
    config, before = SETTINGS.train_tokenizer, line.manifests["resample"]
    aside = aside_bounds(config.unseen, config.unseen_bytes, before["by_domain"])
    draw = Draw(sample_bounds(config.sample_bytes, before["mix"], before["by_domain"], aside), aside, SETTINGS.seed)
    shards = sorted((line.folder("resample") / "shards").glob("*.parquet"))
    texts = [text for path in shards for batch in read_kept(str(path)) for _, text in draw.windows(batch)]
    assert sum(len(text.encode()) for text in texts) == line.manifests["train_tokenizer"]["sample"]["bytes"]
    made = (line.folder("train_tokenizer") / "tokenizer.json").read_text(encoding="utf-8")
    assert made == train_by_library(texts, config).to_str()


def test_memory_and_time_are_told_before_merging_and_too_much_is_refused(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = line.manifests["train_tokenizer"]
    memory, seconds = announce("distinct pieces", facts["distinct"]["bytes"], 600)
    assert facts["expected"] == {"memory_bytes": memory, "seconds": round(seconds, 1)}
    assert "MB of distinct pieces: merging takes about 0.1 GiB in the driver and 0 s" in capsys.readouterr().err
    announce("sample", 10**15, 600, "at most ")
    with pytest.raises(ConfigError, match=r"this machine has \d+; lower train_tokenizer.sample_bytes to 0% of what it is"):
        announce("distinct pieces", 10**15, 600)


def test_a_rerun_after_a_kill_writes_the_same_shards(line: Line, spark: SparkSession, tmp_path: Path) -> None:
    """What a kill leaves: some shards committed, one with its token files but not its row."""
    copy = Run(str(tmp_path / "run"))
    shutil.copytree(line.run.uri, copy.uri)
    directory = copy.stage("encode")
    Path(directory.path("written", shard_name(1))).unlink()
    for file in Path(directory.path("tokens", "WebText")).glob("*-00001.idx"):
        file.unlink()
    Path(directory.path("manifest.json")).unlink()
    facts = encode(Work(spark, SETTINGS, directory, {name: copy.stage(name) for name in ("resample", "train_tokenizer")}))
    assert facts["digest"] == line.manifests["encode"]["digest"]
    assert [entry["sha256"] for entry in facts["shards"]] == [e["sha256"] for e in line.manifests["encode"]["shards"]]


def test_a_sample_too_small_for_the_vocabulary_is_told_as_a_setting(line: Line, spark: SparkSession, tmp_path: Path) -> None:
    directory = Run(str(tmp_path)).stage("train_tokenizer")
    directory.begin("test")
    settings = DataConfig(extract=SETTINGS.extract, train_tokenizer=TrainTokenizerConfig(vocabulary=50_000, sample_bytes=1_000))
    with pytest.raises(ConfigError, match=r"train_tokenizer\.vocabulary = 50,000, but the sample gives only"):
        train_tokenizer(Work(spark, settings, directory, {"resample": line.run.stage("resample")}))


def test_documents_are_encoded_by_a_published_tokenizer(line: Line, spark: SparkSession, tmp_path: Path) -> None:
    published = tmp_path / "published"
    published.mkdir()
    text = Path(line.run.stage("train_tokenizer").path("tokenizer.json")).read_text(encoding="utf-8")
    (published / "tokenizer.json").write_text(
        text.replace('"</s>"', '"<old>"').replace('"<pad>"', '"<|end|>"'), encoding="utf-8"
    )
    taken = TrainTokenizerConfig(path=str(published / "tokenizer.json"), control={"eos": "<|end|>"})
    settings = dataclasses.replace(SETTINGS, train_tokenizer=taken)
    run = Run(str(tmp_path / "run"))
    folders = {name: run.stage(name) for name in ("train_tokenizer", "encode")}
    for name, folder in folders.items():
        folder.begin(name)
    facts = train_tokenizer(Work(spark, settings, folders["train_tokenizer"], {"resample": line.run.stage("resample")}))
    folders["train_tokenizer"].commit("test", facts, 0.0)
    before = {"resample": line.run.stage("resample"), "train_tokenizer": folders["train_tokenizer"]}
    made = encode(Work(spark, settings, folders["encode"], before))
    assert (made["tokenizer"]["eos"], made["tokens"]) == (3, line.manifests["encode"]["tokens"])
    shard = Shard(folders["encode"].path(made["shards"][0]["path"]))
    assert {int(shard[number][-1]) for number in range(len(shard))} == {3}
