"""The field mappings of configs/sources/ on fixtures in each published layout, and several of them in one run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.config import ConfigError, load
from core.line import foreign
from datapipe.config import DataConfig
from datapipe.document import Document
from datapipe.sources.inputs import find
from datapipe.sources.reading import documents
from tests.datapipe.sources.builders import CHINESE, SENTENCES

FOLDER = Path(__file__).resolve().parents[3] / "configs" / "sources"
ENGLISH, HAN = " ".join(SENTENCES), "".join(CHINESE)
TEX = r"\documentclass{article}\newcommand{\B}{bridge}\begin{document}\section{Bridges} A \B. " + ENGLISH + r"\end{document}"


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


FILES: dict[str, dict[str, str]] = {
    "redpajama": {
        "redpajama/common_crawl/2023-06/en_head_0000.json.gz.dedup.jsonl": lines({"text": ENGLISH, "source": "cc"}),
        "redpajama/c4/c4-train.00000.jsonl": lines({"text": ENGLISH, "meta": {"url": "http://a.org"}}),
        "redpajama/github/filtered_0.jsonl": lines({"text": "# Copyright 2020 X\nx = 1\n", "meta": {"id": "7"}}),
        "redpajama/book/book.jsonl": lines({"text": ENGLISH, "meta": {"short_book_title": "Bridges"}}),
        "redpajama/wikipedia/wiki.jsonl": lines({"text": ENGLISH, "meta": {"title": "Bridge", "language": "de"}}),
        "redpajama/stackexchange/all.jsonl": lines({"text": f"Q: Why?\n\nA: {ENGLISH}", "meta": {"question_score": "4"}}),
        "redpajama/arxiv/arxiv_0.jsonl": lines({"text": TEX, "meta": {"arxiv_id": "2001.1", "timestamp": "2020-01-01"}}),
        "redpajama-v2/documents/2023-06/0/en_head.json.gz": lines({"raw_content": ENGLISH, "url": "http://b.org"}),
    },
    "wudao": {
        "wudao/part-1.json": json.dumps(
            [{"id": 1, "uniqueKey": "k1", "dataType": "百科", "title": "木桥", "content": HAN},
             {"id": 2, "uniqueKey": "k2", "dataType": "科技", "title": "新闻", "content": HAN}], ensure_ascii=False),
    },
    "wanjuan": {
        "wanjuan/nlp/CN/Exam-cn/part-0.jsonl": lines(
            {"id": "e1", "q_type": "选择题", "q_main": f"{HAN}哪座桥？", "option_a": "木桥", "option_b": "石桥",
             "option_c": "", "option_d": "", "std_ans": "A", "answer_detail": "木桥被冲走。"}),
        "wanjuan/nlp/CN/TextBook-cn/part-0.jsonl": lines({"id": "t1", "content": HAN, "grade": "三年级"}),
        "wanjuan/nlp/CN/Law-cn/part-0.jsonl": lines(
            {"id": "l1", "content": f"{HAN}\n\n审判长 某甲\n二〇一九年三月四日\n书记员 某乙"}),
        "wanjuan/nlp/CN/Patent-cn/part-0.jsonl": lines({"id": "p1", "content": f"摘要：{HAN}CN123456789A说明书1/6页"}),
        "wanjuan/nlp/CN/Wiki-cn/part-0.jsonl": lines({"id": "w1", "title": "桥", "content": HAN}),
        "wanjuan/nlp/CN/ChinaNews-cn/part-0.jsonl": lines({"id": "n1", "content": HAN}),
        "wanjuan/nlp/EN/WebText-en/part-0.jsonl": lines({"id": "x1", "content": ENGLISH}),
    },
    "mathglm": {
        "mathglm/train.jsonl": lines(
            *({"question": f"桥有{n}根桩，冲走2根，还剩几根？", "answer": f"x={n}-2={n - 2}"} for n in range(3, 63))),
        "mathglm/arithmetic.txt": "".join(f"{n}+{n}={2 * n}\n" for n in range(150)),
    },
    "instruct": {"instruct/QA/a.jsonl": lines({"instruction": SENTENCES[0], "output": ENGLISH})},
}  # fmt: skip


def kept(root: Path, *names: str) -> dict[str, list[Document]]:
    """The documents of fixtures in these layouts, by their file; none may be on the ledger."""
    for name in names:
        for path, text in FILES[name].items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
    config = root / "run.yaml"
    config.write_text("extends: [" + ", ".join(str(FOLDER / f"{name}.yaml") for name in names) + "]\n", encoding="utf-8")
    extract = load(config, [], DataConfig, foreign("datapipe")).extract
    made = {file.path: list(documents(file, rule, extract)) for file, rule in find(extract, str(root))}
    assert [document.verdict for own in made.values() for document in own if document.verdict] == []
    return made


def test_redpajama(tmp_path: Path) -> None:
    made = {path.split("/")[1]: own[0] for path, own in kept(tmp_path, "redpajama").items()}
    assert {name: document.domain for name, document in made.items()} == {
        "common_crawl": "WebText", "c4": "WebText", "github": "Code", "book": "Book", "wikipedia": "WorldKnowledge",
        "stackexchange": "QA", "arxiv": "AcademicPaper", "documents": "WebText",
    }  # fmt: skip
    assert made["github"].text == "x = 1" and made["github"].key == "7"
    assert made["stackexchange"].text == f"Why?\n\n{ENGLISH}" and made["stackexchange"].metadata == {"meta.question_score": "4"}
    assert made["arxiv"].text.startswith("## Bridges\n\nA bridge.") and made["arxiv"].date == "2020-01-01"
    assert made["wikipedia"].language == "de" and made["book"].title == "Bridges" and made["documents"].url == "http://b.org"


def test_wudao_names_its_domains(tmp_path: Path) -> None:
    [own] = kept(tmp_path, "wudao").values()
    assert [(d.key, d.domain, d.title, d.text) for d in own] == [
        ("k1", "WorldKnowledge", "木桥", f"木桥\n\n{HAN}"), ("k2", "WebText", "新闻", f"新闻\n\n{HAN}"),
    ]  # fmt: skip


def test_wanjuan(tmp_path: Path) -> None:
    made = {path.split("/")[3]: own[0] for path, own in kept(tmp_path, "wanjuan").items()}
    assert {name: document.domain for name, document in made.items()} == {
        "Exam-cn": "QA", "TextBook-cn": "Book", "Law-cn": "Profession-Law", "Patent-cn": "Profession-Patent",
        "Wiki-cn": "WorldKnowledge", "ChinaNews-cn": "WebText", "WebText-en": "WebText",
    }  # fmt: skip
    assert made["Exam-cn"].text == f"{HAN}哪座桥？\nA. 木桥\nB. 石桥\n答案：A\n木桥被冲走。"
    assert {made[name].text for name in ("Law-cn", "Patent-cn", "Wiki-cn")} == {HAN}


def test_mathglm(tmp_path: Path) -> None:
    made = kept(tmp_path, "mathglm")
    assert [len(own) for own in made.values()] == [2, 2]
    assert made["mathglm/train.jsonl"][0].text.startswith("桥有3根桩，冲走2根，还剩几根？\n答：x=3-2=1\n\n桥有4根桩")
    assert made["mathglm/arithmetic.txt"][1].text.startswith("100+100=200\n101+101=202")


def test_several_are_laid_together_and_all_of_their_files_are_read(tmp_path: Path) -> None:
    made = kept(tmp_path, *FILES)
    assert len(made) == sum(map(len, FILES.values()))
    assert made["instruct/QA/a.jsonl"][0].metadata == {"instruct": "alpaca"}


def test_a_domain_name_that_is_none_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(f"extends: {FOLDER / 'wudao.yaml'}\n")
    override = ["extract.collections.wudao.options.domain_names.百科=Wiki"]
    with pytest.raises(ConfigError, match="domain_names: 'Wiki' is no domain"):
        load(config, override, DataConfig, foreign("datapipe"))
