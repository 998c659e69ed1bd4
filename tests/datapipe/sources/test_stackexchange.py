"""Stack Exchange: a question with its answers, the best first, wherever in the file they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from datapipe.document import Verdict
from tests.datapipe.sources.builders import outcomes, read

REASON = "Proteins of the malt hold the bubbles together until the glass is warm."


def posts(rows: list[dict[str, Any]]) -> bytes:
    lines = ("<row " + " ".join(f"{name}={quoteattr(str(value))}" for name, value in row.items()) + " />" for row in rows)
    return ("<?xml version='1.0' encoding='utf-8'?>\n<posts>\n" + "\n".join(lines) + "\n</posts>").encode()


def question(number: int, score: int = 3, **more: Any) -> dict[str, Any]:
    return {"Id": number, "PostTypeId": 1, "Score": score, "Title": f"Question {number}?", "Body": "<p>Why does it foam?</p>",
            "CreationDate": "2014-01-21", **more}  # fmt: skip


def answer(number: int, parent: int, score: int, body: str) -> dict[str, Any]:
    return {"Id": number, "PostTypeId": 2, "ParentId": parent, "Score": score, "Body": body}


def test_answers_follow_their_question_the_accepted_one_first(tmp_path: Path) -> None:
    folder = tmp_path / "beer.stackexchange.com"
    folder.mkdir()
    rows = [
        answer(11, 1, 2, f"<p>Second. {REASON}</p>"), question(1, AcceptedAnswerId=12),
        answer(13, 1, 9, f"<p>First by <b>score</b>. {REASON}</p>"),
        answer(12, 1, 0, f"<p>Accepted: {REASON}</p><pre><code>a = 1\n  b = 2\n</code></pre><ul><li>one</li><li>two</li></ul>"),
        answer(14, 1, -3, "<p>Voted down.</p>"), {"Id": 99, "PostTypeId": 5, "Body": "a wiki"},
    ]  # fmt: skip
    (folder / "Posts.xml").write_bytes(posts(rows))
    [made] = read(
        folder / "Posts.xml", source="stackexchange", domain="QA", language="en", options={"site": "beer.stackexchange.com"}
    )
    assert made.text == (
        "Question 1?\n\nWhy does it foam?\n\n"
        f"Accepted: {REASON}\n\na = 1\n  b = 2\n\n- one\n\n- two\n\nFirst by score. {REASON}\n\nSecond. {REASON}"
    )
    assert (made.url, made.key) == ("https://beer.stackexchange.com/questions/1", "1")


def test_low_information_pairs_go_to_the_ledger(tmp_path: Path) -> None:
    rows = [
        question(1),
        question(2, score=-2),
        answer(3, 2, 5, "x"),
        question(4),
        answer(5, 4, 0, "unloved"),
        answer(6, 77, 3, "lost"),
    ]
    (tmp_path / "Posts.xml").write_bytes(posts(rows))
    made = read(tmp_path / "Posts.xml", source="stackexchange", domain="QA", language="en")
    assert outcomes(made) == ["extract.no_answer", "extract.low_score", "extract.no_answer", "extract.no_question"]


def test_pairs_that_say_little_are_measured(tmp_path: Path) -> None:
    linked = '<p>See <a href="http://a.org/b">http://a.org/b/c-d-e-f-g-h-i-j-k-l-m</a> please, thanks!</p>'
    rows = [
        question(1), answer(2, 1, 5, linked),
        question(3), answer(4, 3, 9, "<p>Yes yes yes yes yes yes yes yes yes yes yes.</p>"),
        answer(5, 3, 1, f"<p>{REASON}</p>"),
        question(6, Title="Foam?", Body="<p>Foam? Foam.</p>"), answer(7, 6, 5, f"<p>{REASON}</p>"),
    ]  # fmt: skip
    (tmp_path / "Posts.xml").write_bytes(posts(rows))
    short, kept, vague = read(tmp_path / "Posts.xml", source="stackexchange", domain="QA", language="en")
    assert short.verdict == Verdict("extract.short_answer", 3, 10, "different words of the longest")
    assert kept.verdict is None and kept.text.endswith(f"foam?\n\n{REASON}"), "a good answer stands for a poor one"
    assert vague.verdict == Verdict("extract.short_question", 1, 5, "different words")


def test_a_cut_dump_gives_the_threads_that_were_whole(tmp_path: Path) -> None:
    rows = [
        row
        for number in range(1, 40, 2)
        for row in (question(number), answer(number + 1, number, 5, f"<p>Because. {REASON}</p>"))
    ]
    (tmp_path / "Posts.xml").write_bytes(posts(rows)[:-400])
    made = outcomes(read(tmp_path / "Posts.xml", source="stackexchange", domain="QA", language="en"))
    assert made[-1] == "extract.corrupt_file" and 15 < made.count("kept") < 20
