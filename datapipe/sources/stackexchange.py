"""Stack Exchange dumps (Posts.xml): a question with its answers, the best first; pairs that say little go to the ledger.

Answers stand anywhere after their question, in files of up to 100 GB, so posts wait in a database file on the local disk
(SQLite, which every Python has) and come out by question.
"""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from core.config import setting
from datapipe.config import HtmlConfig
from datapipe.sources.base import InputFile, Record, Source, removed
from datapipe.sources.files import DamagedFile, open_members
from datapipe.sources.markups.fragment import to_text

_QUESTION, _ANSWER = "1", "2"
_LINK = re.compile(r"\S+://\S+|www\.\S+")
_WORD = re.compile(r"[\u3041-\u30ff\u3400-\u9fff]|[^\W_\u3041-\u30ff\u3400-\u9fff]+")


@dataclass(frozen=True)
class StackExchange(Source):
    """Posts.xml. A question without a kept answer goes to the ledger, and so does one voted down."""

    site: str = setting("", "host of the site, for the URLs of its questions; empty: taken from the file's folder")
    min_question_score: int = setting(0, "lowest score of a question that is kept")
    min_answer_score: int = setting(1, "lowest score of an answer that is kept; the accepted one always is")
    max_answers: int = setting(5, "most answers kept, the accepted one first, then by score")
    min_answer_words: int = setting(
        10, "different words (or Chinese characters) of an answer, links apart; one with fewer is left"
    )
    min_question_words: int = setting(5, "the same of a question, its title included")

    def read(self, file: InputFile, html: HtmlConfig) -> Iterator[Record]:
        site = self.site or next((part for part in reversed(file.path.split("/")[:-1]) if "." in part), "")
        with tempfile.TemporaryDirectory() as folder:
            posts = sqlite3.connect(os.path.join(folder, "posts.db"))
            try:
                posts.execute("pragma synchronous = off")
                posts.execute("pragma journal_mode = off")
                posts.execute("create table post (question integer, answer integer, score integer, row text, body text)")
                with open_members(file.uri) as stream:
                    fault = _store(stream, posts)
                posts.execute("create index by_question on post (question)")
                yield from self._threads(posts, site)
            finally:
                posts.close()
        if fault is not None:
            raise fault

    def _threads(self, posts: sqlite3.Connection, site: str) -> Iterator[Record]:
        thread: list[tuple[int, int, int, str, str]] = []
        for row in posts.execute("select question, answer, score, row, body from post order by question, answer"):
            if thread and thread[0][0] != row[0]:
                yield self._thread(thread, site)
                thread = []
            thread.append(row)
        if thread:
            yield self._thread(thread, site)

    def _thread(self, thread: list[tuple[int, int, int, str, str]], site: str) -> Record:
        number, answer, score, facts, body = thread[0]
        if answer:
            return removed(f"answers-{number}", "no_question", len(thread), detail="answers whose question is not in the file")
        title, date, accepted = facts.split("\0")
        url = f"https://{site}/questions/{number}" if site else None
        record = Record(str(number), url=url, date=date, title=title, metadata={"score": str(score)})
        good = [row for row in thread[1:] if row[2] >= self.min_answer_score or str(row[1]) == accepted]
        good.sort(key=lambda row: (str(row[1]) != accepted, -row[2], row[1]))
        answers = [to_text(row[4]) for row in good]
        said = [text for text in answers if information(text) >= self.min_answer_words]
        texts = [title, to_text(body), *(said or answers)[: self.max_answers]]
        record.text = "\n\n".join(filter(None, texts))
        asked, most = information(f"{title} {texts[1]}"), max(map(information, answers), default=0)
        if score < self.min_question_score:
            record.verdict = removed("", "low_score", score, self.min_question_score).verdict
        elif not good:
            record.verdict = removed("", "no_answer", len(thread) - 1, 1, "no answer with the score asked for").verdict
        elif asked < self.min_question_words:
            record.verdict = removed("", "short_question", asked, self.min_question_words, "different words").verdict
        elif not said:
            record.verdict = removed("", "short_answer", most, self.min_answer_words, "different words of the longest").verdict
        return record


def information(text: str) -> int:
    """Different words of a text, or Chinese characters and kana each as one; web addresses say nothing."""
    return len(set(_WORD.findall(_LINK.sub(" ", text.lower()))))


def _store(stream: Any, posts: sqlite3.Connection) -> DamagedFile | None:
    """Puts the posts into the database; damage is given back, so that what came before it is used."""
    insert = "insert into post values (?, ?, ?, ?, ?)"
    try:
        for _, element in etree.iterparse(stream, events=("end",), tag="row", huge_tree=True, recover=False):
            post = element.attrib
            kind, number = post.get("PostTypeId"), _integer(post, "Id")
            if kind == _QUESTION:
                facts = "\0".join((post.get("Title", ""), post.get("CreationDate", ""), post.get("AcceptedAnswerId", "")))
                posts.execute(insert, (number, 0, _integer(post, "Score"), facts, post.get("Body", "")))
            elif kind == _ANSWER:
                posts.execute(insert, (_integer(post, "ParentId"), number, _integer(post, "Score"), "", post.get("Body", "")))
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except DamagedFile as damage:
        return damage
    except etree.XMLSyntaxError as error:
        return DamagedFile("corrupt", 0, f"no XML: {error}")
    return None


def _integer(post: Any, name: str) -> int:
    value = post.get(name, "0")
    return int(value) if value.lstrip("-").isdigit() else 0
