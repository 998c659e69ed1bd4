"""Decontamination as a stage: contaminated documents go and name their item, frequent n-grams do not count."""

import json
from pathlib import Path
from typing import Literal

import pyarrow.parquet as pq
import pytest

from core.config import ConfigError
from datapipe.config import DataConfig, DecontaminateConfig, ExtractConfig
from datapipe.document import Document
from datapipe.stages.decontaminate import decontaminate
from tests.conftest import MakeWork

QUESTION = "A tank holds ninety litres and loses two litres each hour through a crack near its base; when is it half empty?"
PROVERB = "Many hands make light work but too many cooks are known to spoil the broth in every kitchen"
FILLER = "The museum shows maps of the coast from four centuries, drawn by sailors who never saw most of it."


@pytest.fixture
def quiz(tmp_path: Path) -> Path:
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    records = [{"question": QUESTION, "answer": "22.5 hours"}, {"question": PROVERB, "answer": ""}]
    (folder / "quiz.jsonl").write_text("\n".join(map(json.dumps, records)))
    return tmp_path


def page(key: str, text: str) -> Document:
    return Document(source="crawl", key=key, domain="WebText", language="en", text=text)


def pages() -> list[Document]:
    return [
        page("leak", f"{FILLER}\n{QUESTION.upper()}\n{FILLER}"),
        page("wrapped", f"{FILLER} {QUESTION.replace(' ', chr(10))} {FILLER}"),
        page("clean", FILLER * 3),
        *[page(f"proverb {n}", f"{PROVERB}. Page {n} says so.") for n in range(4)],
    ]


@pytest.mark.parametrize("shards", [1, 3])
def test_contaminated_documents_go_with_their_item_and_frequent_ngrams_are_reported(
    make_work: MakeWork, quiz: Path, shards: int
) -> None:
    config = DecontaminateConfig(benchmarks={"quiz": "benchmarks/*.jsonl"}, frequent=3)
    settings = DataConfig(corpus=str(quiz), extract=ExtractConfig(shards=shards), decontaminate=config)
    work = make_work("decontaminate", pages(), settings)
    facts = decontaminate(work)
    tables = [pq.read_table(work.directory.path("shards", f"{index:05d}.parquet")) for index in range(shards)]
    verdicts = {row["key"]: row["verdict"] for table in tables for row in table.to_pylist()}
    assert {key for key, verdict in verdicts.items() if verdict} == {"leak", "wrapped"}
    grams = len(QUESTION.split()) - 12
    assert verdicts["leak"]["rule"] == "decontaminate.quiz" and verdicts["leak"]["measure"] == grams
    assert verdicts["leak"]["detail"].startswith("quiz/quiz#0: ")
    assert facts["benchmarks"]["quiz"] == {
        "items": 2,
        "whole": 0,
        "too_short": 0,
        "documents_hit": 2,
        "items_hit": 1,
        "ngrams_hit": grams,
        "ngrams_frequent": len(PROVERB.split()) - 12,
        "documents_partial": 0,
    }
    assert facts["frequent"][0]["documents"] == 4 and facts["frequent"][0]["item"] == "quiz/quiz#1"
    assert facts["frequent"][0]["span"] in PROVERB


def test_in_mode_cut_the_shared_words_go_and_the_document_stays(make_work: MakeWork, quiz: Path) -> None:
    config = DecontaminateConfig(benchmarks={"quiz": "benchmarks/*.jsonl"}, mode="cut", frequent=3)
    settings = DataConfig(corpus=str(quiz), extract=ExtractConfig(shards=1), decontaminate=config)
    work = make_work("decontaminate", [*pages(), page("twice", f"{QUESTION} {FILLER} {QUESTION}")], settings)
    facts = decontaminate(work)
    assert facts["removed"] == 0 and facts["contaminated"] == 3
    rows = pq.read_table(work.directory.path("shards", "00000.parquet")).to_pylist()
    texts = {row["key"]: row["text"] for row in rows}
    assert texts["leak"] == f"{FILLER}\n?\n{FILLER}"
    assert texts["twice"] == f"? {FILLER} ?"
    assert texts["clean"] == FILLER * 3 and PROVERB in texts["proverb 0"]


def test_without_benchmarks_everything_passes_and_the_facts_say_so(make_work: MakeWork) -> None:
    work = make_work("decontaminate", pages(), DataConfig(extract=ExtractConfig(shards=2)))
    facts = decontaminate(work)
    assert facts["removed"] == 0 and "nothing was compared" in facts["note"]


def test_benchmark_files_that_are_not_there_stop_the_stage(make_work: MakeWork) -> None:
    config = DecontaminateConfig(benchmarks={"quiz": "/nowhere/*.jsonl"})
    work = make_work("decontaminate", pages(), DataConfig(extract=ExtractConfig(shards=1), decontaminate=config))
    with pytest.raises(ConfigError, match="decontaminate.benchmarks.quiz"):
        decontaminate(work)


def test_the_benchmark_files_are_inputs_of_the_stage(quiz: Path) -> None:
    config = DecontaminateConfig(benchmarks={"quiz": "benchmarks/*.jsonl"})
    listed = config.files(DataConfig(corpus=str(quiz), decontaminate=config))
    assert [info.uri.rsplit("/", 1)[-1] for info in listed] == ["quiz.jsonl"]


def instruct(key: str, text: str) -> Document:
    return Document("tuned", key, "QA", text, "en", metadata={"instruct": "messages"})


@pytest.mark.parametrize("mode", ["strict", "cut"])
def test_instruct_data_goes_whole_for_any_shared_ngram_frequent_or_not(
    make_work: MakeWork, quiz: Path, mode: Literal["strict", "cut"]
) -> None:
    config = DecontaminateConfig(benchmarks={"quiz": "benchmarks/*.jsonl"}, mode=mode, frequent=3)
    settings = DataConfig(corpus=str(quiz), extract=ExtractConfig(shards=2), decontaminate=config)
    own = [instruct("leak", f"{FILLER} {QUESTION}"), instruct("proverb", f"{FILLER} {PROVERB}"), instruct("clean", FILLER)]
    work = make_work("decontaminate", [*pages(), *own], settings)
    facts = decontaminate(work)
    rows = [row for n in range(2) for row in pq.read_table(work.directory.path("shards", f"{n:05d}.parquet")).to_pylist()]
    kept = {row["key"] for row in rows if row["source"] == "tuned" and row["verdict"] is None}
    assert kept == {"clean"} and facts["instruct"] == {"QA": {"in": 3, "removed": 2}}
    assert {row["key"] for row in rows if row["key"].startswith("proverb ") and row["verdict"]} == set()


def test_instruct_data_does_not_pass_unchecked(make_work: MakeWork) -> None:
    work = make_work("decontaminate", [*pages(), instruct("clean", FILLER)], DataConfig(extract=ExtractConfig(shards=1)))
    facts = decontaminate(work)
    assert facts["removed"] == 1 and facts["by_rule"] == {"decontaminate.unchecked_instruct": {"QA": 1}}


LAW = "".join(
    f"第{n}条规定的机动车应当在{place}按照顺序通行，违者由交通管理部门处以罚款。"
    for n, place in zip("一二三四", "东南西北", strict=True)
)


def test_a_law_that_an_item_quotes_is_no_copy_of_the_item_but_is_reported(make_work: MakeWork, tmp_path: Path) -> None:
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    question = "下列关于本案的说法，哪一项完全符合立法目的并且应当得到法院支持？请结合判例逐项加以说明理由。"
    asked = f"张某驾车途经学校，{LAW[36:72]}{question}"
    (folder / "bar.jsonl").write_text(json.dumps({"question": asked}, ensure_ascii=False))
    config = DecontaminateConfig(benchmarks={"bar": "benchmarks/*.jsonl"})
    settings = DataConfig(corpus=str(tmp_path), extract=ExtractConfig(shards=1), decontaminate=config)
    copy = Document("c", "copy", "WebText", f"甲乙丙丁。{asked}戊己庚辛。", "zh")
    law, exam = (Document("c", key, domain, LAW * 2, "zh") for key, domain in (("law", "WebText"), ("exam", "QA")))
    work = make_work("decontaminate", [law, copy, exam], settings)
    facts = decontaminate(work)
    rows = pq.read_table(work.directory.path("shards", "00000.parquet")).to_pylist()
    assert {row["key"] for row in rows if row["verdict"]} == {"copy", "exam"}, "in a domain of questions"
    assert facts["benchmarks"]["bar"]["documents_partial"] == 1 and facts["benchmarks"]["bar"]["documents_hit"] == 2
