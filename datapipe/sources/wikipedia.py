"""MediaWiki XML dumps (pages-articles): the articles of a wiki, in the languages asked for; other wikis are refused whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from core.config import setting
from datapipe.config import HtmlConfig
from datapipe.sources.base import InputFile, Record, Source, removed, turns
from datapipe.sources.files import DamagedFile, open_members
from datapipe.sources.markups.wikitext import is_redirect
from datapipe.text.language import LANGUAGES

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True)
class Wikipedia(Source):
    """Wikipedia and its sisters. The texts are wikitext: the rule's markup is `wikitext`."""

    languages: list[str] = setting(list(LANGUAGES), "wikis in other languages are refused by what the dump itself declares")
    namespaces: list[int] = setting([0], "namespaces whose pages are articles")

    def parts(self, file: InputFile, most: int) -> int:
        return turns(file, most)

    def read(self, file: InputFile, html: HtmlConfig) -> Iterator[Record]:
        with open_members(file.uri) as stream:
            dump = etree.iterparse(stream, events=("start", "end"), huge_tree=True, resolve_entities=False)
            try:
                yield from self._pages(dump)
            except etree.XMLSyntaxError as error:
                raise DamagedFile("corrupt", 0, f"no XML: {error}") from None

    def _pages(self, dump: Any) -> Iterator[Record]:
        wiki: str | None = None
        base = ""
        for event, element in dump:
            name = etree.QName(element).localname if isinstance(element.tag, str) else ""
            if event == "start":
                if name == "mediawiki":
                    wiki = element.get(_LANG)
            elif name == "base":
                base = (element.text or "").rsplit("/", 1)[0]
            elif name == "page":
                yield self._page(element, wiki, base)
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]

    def _page(self, page: Any, wiki: str | None, base: str) -> Record:
        fields = {name: page.findtext(f"{{*}}{name}") or "" for name in ("id", "title", "ns")}
        key, title = fields["id"] or fields["title"], fields["title"]
        record = Record(key, title=title, url=f"{base}/{title.replace(' ', '_')}" if base else None)
        record.date = page.findtext("{*}revision/{*}timestamp")
        text = page.findtext("{*}revision/{*}text") or ""
        namespace = int(fields["ns"]) if fields["ns"].lstrip("-").isdigit() else 0
        if wiki and wiki.split("-")[0].lower() not in self.languages:
            record.verdict = removed(key, "language", detail=f"the dump declares {wiki}, which is not asked for").verdict
            record.language = wiki
        elif namespace not in self.namespaces:
            record.verdict = removed(key, "namespace", namespace, detail="not an article").verdict
        elif page.find("{*}redirect") is not None or is_redirect(text):
            record.verdict = removed(key, "redirect").verdict
        else:
            record.text = text
        return record
