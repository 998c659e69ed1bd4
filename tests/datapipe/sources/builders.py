"""Small inputs for the tests of sources: pages, an article, crawl files, a corpus, and the rules that read them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from datapipe.config import ExtractConfig, InputConfig
from datapipe.document import Document
from datapipe.sources.base import InputFile
from datapipe.sources.reading import documents

SENTENCES = (
    "The river rose in the night and carried the wooden bridge away before anyone in the village had noticed it.",
    "In the morning the miller walked along the bank and counted the posts that were left standing in the water.",
    "He wrote to the county for help, and the county answered that the bridge had never been on its list at all.",
)
CHINESE = (
    "夜里河水上涨，村里的人还没有发现，木桥就被冲走了。",
    "早晨磨坊主人沿着河岸走，数着水里还剩下多少根柱子。",
    "他写信向县里求助，县里回答说这座桥从来没有列在他们的名单上。",
)

ARTICLE = f"""{{{{Infobox bridge|name=Old [[bridge]]|image=a.jpg}}}}
[[File:Bridge.jpg|thumb|The [[bridge]] in 1900]]
'''The bridge''' was a [[wood|wooden]] bridge.<ref>A book, p. 3</ref> {SENTENCES[0]}

== History ==
{SENTENCES[1]}{{{{citation needed|date=May 2024}}}} It was {{{{convert|40|m}}}} long, in German {{{{lang|de|Holzbrücke}}}}.
{{| class="wikitable"
! Year !! Toll
|-
| 1900 || 2
|}}
* The first post
* The second [http://example.org post]
=== Empty ===
== References ==
{{{{reflist}}}}
== After ==
Never seen.
[[Category:Bridges]]
"""

RULES = [
    InputConfig(glob="web/*.warc.gz", source="warc"),
    InputConfig(glob="books/**/*.txt", source="text", domain="Book"),
    InputConfig(glob="**/*.jsonl", source="records", domain="QA"),
]


def page(paragraphs: Sequence[str] = SENTENCES, head: str = "", title: str = "A bridge") -> str:
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return f"<html><head>{head}<title>{title}</title></head><body><article><h1>{title}</h1>{body}</article></body></html>"


def warc(
    path: Path,
    pages: Sequence[tuple[bytes, dict[str, Any]]],
    compress: bool = True,
) -> list[int]:
    """Writes responses as a crawler does; each page is (body, {status, type, headers, kind, url}). Returns their offsets."""
    offsets = []
    with open(path, "wb") as handle:
        writer = WARCWriter(handle, gzip=compress)
        writer.write_record(writer.create_warcinfo_record("test.warc", {"software": "test"}))
        for number, (body, facts) in enumerate(pages):
            offsets.append(handle.tell())
            kind = facts.get("kind", "response")
            http = None
            if kind in ("response", "revisit"):
                fields = [("Content-Type", facts.get("type", "text/html")), *facts.get("headers", [])]
                http = StatusAndHeaders(facts.get("status", "200 OK"), fields, protocol="HTTP/1.1")
            record = writer.create_warc_record(
                facts.get("url", f"http://example.org/{number}"), kind, payload=io.BytesIO(body), length=len(body),
                http_headers=http, warc_content_type=facts.get("type", "") if kind in ("conversion", "resource") else "",
            )  # fmt: skip
            writer.write_record(record)
    return offsets


def small_corpus(root: Path) -> Path:
    """Writes what RULES read, some of it damaged, and one file that none of them names."""
    for folder in ("web", "books/zh", "qa"):
        (root / folder).mkdir(parents=True)
    warc(root / "web/a.warc.gz", [(page().encode(), {"url": f"http://a.org/{n}"}) for n in range(6)] + [(b"", {})])
    warc(root / "web/cut.warc.gz", [(page().encode(), {"url": f"http://b.org/{n}"}) for n in range(4)])
    (root / "web/cut.warc.gz").write_bytes((root / "web/cut.warc.gz").read_bytes()[:-200])
    for number in range(12):
        (root / f"books/zh/{number}.txt").write_text(f"第{number}章\n" + "\n".join(CHINESE))
    (root / "qa/a.jsonl").write_text(
        "\n".join(json.dumps({"text": f"{n} {SENTENCES[n % 3]}"}) for n in range(30)) + "\nno json\n"
    )
    (root / "notes.md").write_text("nobody reads this")
    return root


def read(path: Path, config: ExtractConfig | None = None, **rule: Any) -> list[Document]:
    """The documents of a file by a rule, all of the work of extract on one file save Spark."""
    file = InputFile(str(path), path.name, path.stat().st_size, "1")
    return list(documents(file, InputConfig(**rule), config or ExtractConfig()))


def outcomes(made: Sequence[Document]) -> list[str]:
    """For each document its rule, or 'kept'."""
    return [document.verdict.rule if document.verdict else "kept" for document in made]
