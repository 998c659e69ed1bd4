"""From one file to its documents: everything that is the same for all sources.

Markup is turned to text, text to one normal form, the language is identified, limits are held, and whatever cannot be kept
becomes a document with a verdict, so that records in = documents kept + documents on the ledger. A damaged file gives what
was read before the damage and one more row that says where it lies.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

import xxhash

from datapipe import sources
from datapipe.config import ExtractConfig, InputConfig
from datapipe.document import DOMAINS, Document, Verdict
from datapipe.sources.base import InputFile, Record
from datapipe.sources.files import DamagedFile
from datapipe.sources.markups.guard import BrokenMarkup
from datapipe.text.language import UNDETERMINED, identify

_LINE_ENDS = re.compile("[\u2028\u2029\x0b\x0c\x85]")
_SPACES = re.compile("[\u00a0\u2007\u202f]")  # pages use them for layout
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]")
_ODD = re.compile("[" + "".join(pattern.pattern[1:-1] for pattern in (_LINE_ENDS, _SPACES, _UNWANTED)) + "]")


def documents(file: InputFile, rule: InputConfig, config: ExtractConfig) -> Iterator[Document]:
    """The documents of a file or part, kept and removed. Raises only what another attempt may cure (storage, memory)."""
    seen: set[int] = set()
    read = 0
    source = sources.make(rule.source, rule.options)
    in_turn = file.parts > 1 and not source.enters(file)
    try:
        for record in source.read(file, config.html):
            read += 1
            record.key = _unique(record.key, seen)
            if in_turn and read % file.parts != file.part:
                continue
            record.domain = record.domain or rule.domain
            if record.verdict is None:
                markup = sources.markup(rule.markup_of.get(record.domain, rule.markup))
                record.verdict = _plain(record, markup) or _refused(record, rule, config)
            yield _document(record, file, rule)
    except DamagedFile as damage:
        if in_turn and file.part:
            return  # the first part says so
        detail = f"{damage}; {read} records read before it are kept"
        verdict = Verdict(f"extract.{damage.kind}_file", damage.offset, file.size, detail)
        yield _document(Record(_unique(f"damage@{damage.offset}", seen), verdict=verdict), file, rule)


def _plain(record: Record, markup: Callable[[str], str]) -> Verdict | None:
    try:
        record.text = tidy(markup(record.text))
    except BrokenMarkup as broken:
        record.text = ""
        return Verdict("extract.broken_markup", detail=str(broken))
    return None


def tidy(text: str) -> str:
    """One normal form for all text: NFC, lines end in a line feed, no control characters, at most one empty line at a time."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _ODD.search(text):
        text = _UNWANTED.sub("", _SPACES.sub(" ", _LINE_ENDS.sub("\n", text)))
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    text = "\n".join([line.rstrip() for line in text.split("\n")])
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.strip("\n")


def _unique(key: str, seen: set[int]) -> str:
    """The key, made unique in its file: a format may repeat its own ids."""
    candidate, number = key, 1
    while (mark := xxhash.xxh3_64_intdigest(candidate.encode("utf-8", "surrogatepass"))) in seen:
        number += 1
        candidate = f"{key}#{number}"
    seen.add(mark)
    return candidate


def _refused(record: Record, rule: InputConfig, config: ExtractConfig) -> Verdict | None:
    """Why a record with text cannot be kept, if it cannot; settles its language on the way."""
    if not record.text or record.text.isspace():
        return Verdict("extract.empty", 0, 1)
    size = len(record.text) if record.text.isascii() else len(record.text.encode("utf-8", "replace"))
    if size > config.max_document_bytes:
        record.text = ""
        return Verdict("extract.too_large", size, config.max_document_bytes, "bytes of text")
    if record.domain not in DOMAINS:
        verdict = Verdict("extract.domain", detail=f"{record.domain} is none of the domains")
        record.domain = rule.domain
        return verdict
    if rule.language:
        record.language = rule.language
        return None
    confidence = 1.0
    if not record.language:
        record.language, confidence = identify(record.text)
    if config.languages and record.language not in config.languages:
        return Verdict("extract.language", confidence, None, f"{record.language} is none of extract.languages")
    return None


def _document(record: Record, file: InputFile, rule: InputConfig) -> Document:
    language = record.language or rule.language or UNDETERMINED
    return Document(
        source=file.path, key=record.key, domain=record.domain or rule.domain, text=record.text, language=language,
        url=record.url, date=record.date, title=record.title, metadata=record.metadata, verdict=record.verdict,
    )  # fmt: skip
