"""Words of adult and gambling sites in an address, as RefinedWeb scores them (Penedo et al. 2023, appendix G.1), our own list.

RefinedWeb drops an address for one strict word, or for two soft ones. Here a strong word counts 1 and a soft one 1/2 in the
host, half as much in the path, where an article on the subject has them too. Words of scripts with spaces are matched whole,
strong ones also inside a name of the host: `sex` is no word of `sussex.ac.uk`.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

STRONG = frozenset(
    "porn porno porns pornos pornstar pornstars xxx hentai xnxx milf milfs blowjob blowjobs gangbang cumshot camgirl camgirls "
    "livesex sexcam sexcams sexchat sexvideo sexvideos nudegirls escortgirls freeporn casino casinos onlinecasino slotonline "
    "togel bandarq situsjudi bocai duchang caipiao baijiale".split()
)
SOFT = frozenset(
    "sex sexy nude nudes naked adult adults erotic erotica fetish webcam webcams escort escorts hardcore lesbian threesome "
    "swingers bdsm poker blackjack roulette baccarat slots slot jackpot bet bets betting bookmaker sportsbook gamble gambling "
    "lottery lotto judi wager viagra cialis".split()
)
INSIDE = re.compile(r"porn(?!ic)(?=[a-z0-9])|hentai|casino|xvideo|sexcam|camgirl")
"""Strong wherever they stand in a name of the host; but Pornic is a town, and many a Thai name ends in -porn."""

HAN_STRONG = ("色情", "成人网", "成人电影", "博彩", "赌场", "百家乐", "六合彩", "时时彩")
HAN_SOFT = ("彩票", "投注", "激情", "裸聊", "棋牌")
_WORD = re.compile(r"[a-z]+")


def url_words(url: str) -> float:
    """The sum of the weights of the words found, each word once: 1 for a strong one in the host, 1/2 for one in the path or a
    soft one in the host, 1/4 for a soft one in the path."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return 0.0
    if "xn--" in host:
        host = _readable(host)
    rest = unquote(f"{parts.path}?{parts.query}").lower()
    weights = _found(host, inside=True)
    for word, weight in _found(rest, inside=False).items():
        weights[word] = max(weights.get(word, 0.0), weight / 2)
    return sum(weights.values())


def _found(text: str, inside: bool) -> dict[str, float]:
    words = set(_WORD.findall(text))
    found = {word: 1.0 for word in words & STRONG} | {word: 0.5 for word in words & SOFT}
    if inside and not words & STRONG:
        found |= dict.fromkeys(INSIDE.findall(text), 1.0)
    if not text.isascii():
        found |= {word: 1.0 for word in HAN_STRONG if word in text} | {word: 0.5 for word in HAN_SOFT if word in text}
    return found


def _readable(host: str) -> str:
    try:
        return host.encode("ascii").decode("idna")
    except UnicodeError:
        return host
