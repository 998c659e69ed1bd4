"""What goes before a page's text is extracted: copies, listed addresses, pages that cannot survive what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.config import ConfigError, setting
from datapipe.config.rules import Bound


@dataclass(frozen=True)
class UrlList:
    """A list of hosts or addresses whose pages are not read."""

    uri: str = setting(
        "", "a file, or a folder `<category>/domains` and `<category>/urls` (UT1); local, https or s3, gz or not"
    )
    categories: list[str] = setting([], "of a folder, the categories that hold; empty: all of them")

    def __post_init__(self) -> None:
        if not self.uri:
            raise ConfigError("uri is empty; name a file or a folder of hosts or addresses.")


def _bound(why: str, least: float | None = None, most: float | None = None) -> Bound | None:
    """A field for a bound that can be null; a bound is frozen, so all instances may share it."""
    bound: Bound | None = setting(Bound(min=least, max=most), why)
    return bound


@dataclass(frozen=True)
class TriageBounds:
    """Bounds on cheap measures of a page (datapipe/triage/measures.py), in the order in which they are tried; null turns one
    off.

    All text of a page is looked at, furniture included, so what extraction finds is nearly always less: a page that falls
    short of these falls short of what `clean` demands. Whoever demands less there must demand less here.
    """

    url_words: Bound | None = _bound(
        "words of adult and gambling sites in the address: one in the host, or two in the path", most=0.75
    )
    words: Bound | None = _bound(
        "words (Chinese and Japanese characters) on the page; clean demands 50 of its main text", least=40
    )
    own_script: Bound | None = _bound("share of letters in scripts of extract.languages", least=0.2)
    foreign_language: Bound | None = _bound("confidence that the page is in none of extract.languages", most=0.9)
    sentences: Bound | None = _bound("sentence ends on the page, its links included", least=2)
    link_share: Bound | None = _bound("share of the page's characters that are links", most=0.97)
    stop_words: Bound | None = _bound("different function words, of a page in English", least=2)


@dataclass(frozen=True)
class TriageConfig:
    """The first look at crawled pages. It reads each crawl file once more, which costs a small part of what extraction does."""

    use: bool = setting(True, "look at crawled pages before their text is extracted; false: read each file once, extract all")
    same_payload: bool = setting(
        True, "of pages with the same bytes in the whole corpus, extract one: the newest, then the smallest id"
    )
    same_url: Literal["keep_newest", "keep_all"] = setting(
        "keep_newest",
        "of one address crawled twice: mostly the same article under another date, which deduplication would remove once its "
        "extraction was paid for; what differs are front pages and lists. keep_all: where versions matter",
    )
    lists: dict[str, UrlList] = setting({}, "hosts and addresses that are not read, by a name that the ledger shows")
    bounds: TriageBounds = setting(TriageBounds, "bounds on the address and the cheap text of a page")
