"""One form for all spellings of a page's address, so that a page crawled twice under two of them is known as one.

The steps are those that leave the page the same, and no others: the case of a path stays, and so do doubled slashes and index
files, which servers may tell apart.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes, urlsplit

import xxhash

_BLANKS = re.compile(r"[\x00-\x20\x7f]+")
_WWW = re.compile(r"^www\d{0,2}\.(?=[^.]+\.)")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SAFE = "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~"  # all of ASCII: only what lies beyond it is written as escapes
_PATH_SESSION = re.compile(
    r";(?:jsessionid|phpsessid|sid|sessionid)=[^/;?]*|/\((?:[A-Za-z]\([0-9A-Za-z]{20,}\))+\)(?=/)", re.IGNORECASE
)
_TRACKING = re.compile(
    r"^(?:utm_\w+|(?:gcl|fbcl|dcl|ycl|ttcl|twcl|msclk)id|[wg]braid|gclsrc|igshid|mc_[ce]id|_ga|_gl|_hs(?:enc|mi)|mkt_tok|"
    r"oly_(?:anon|enc)_id|vero_id|_openstat|spm_id_from)$",
    re.IGNORECASE,
)
_SESSION = re.compile(
    r"^(?:jsessionid|phpsessid|aspsessionid\w*|cfid|cftoken|sessionid|session_id|oscsid|zenid)$", re.IGNORECASE
)
_SHORT_SESSION = re.compile(r"^(?:s|sid|sess)=[0-9a-fA-F]{32,}$", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}


def normalise(url: str) -> str:
    """The address as `host[:port]/path?query`; doing it twice changes nothing more. What is no web address stays as it is.

    1. Blanks and control characters, which no address holds, go (WHATWG URL Standard, 4.4).
    2. Scheme (http and https are one), user and `www`, `www2` ... before a domain go (SURT as web archives sort by it).
    3. The host is in lower case and in its ASCII form, without a dot at its end (RFC 3986, 6.2.2.1; RFC 5891).
    4. A port that is the scheme's own goes (RFC 3986, 6.2.3), and so does the fragment, which no server sees (3.5).
    5. Escapes of unreserved characters are undone, the others have capital digits, characters beyond ASCII are escaped
       (6.2.2.1 and 6.2.2.2); the segments `.` and `..` are followed (6.2.2.3).
    6. Session ids in path and query go (`;jsessionid=`, ASP.NET's `/(S(...))/`, PHPSESSID, 32 hex digits as `s` or `sid`):
       SURT.
    7. Parameters that only say where a reader came from go (utm_*, fbclid, gclid ...).
    8. Parameters are sorted by name, those of one name keep their order (SURT sorts); an empty query goes.
    9. A slash at the path's end goes (SURT), so the path of a host's first page is empty.
    """
    bare = _BLANKS.sub("", url)
    try:
        parts = urlsplit(bare)
        port = parts.port
    except ValueError:
        return bare
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.hostname:
        return bare
    where = host_form(parts.hostname)
    if port is not None and port != _PORTS[scheme]:
        where += f":{port}"
    path = _PATH_SESSION.sub("", _without_dots(_even(parts.path))).rstrip("/")
    named = [_even(entry) for entry in parts.query.split("&") if entry and not _says_nothing(entry)]
    query = "&".join(sorted(named, key=lambda entry: entry.partition("=")[0]))
    return f"{where}{path}?{query}" if query else f"{where}{path}"


def host_form(host: str) -> str:
    """A host in lower case and ASCII, without `www` before it and without a dot after it."""
    host = host.lower().rstrip(".")
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            host = quote(host)
    return _WWW.sub("", host)


def address_hash(url: str) -> bytes:
    """128 bits of an address's normal form."""
    return xxhash.xxh3_128_digest(normalise(url).encode("utf-8", "surrogatepass"))


def _says_nothing(entry: str) -> bool:
    name = entry.partition("=")[0]
    return bool(_TRACKING.match(name) or _SESSION.match(name) or _SHORT_SESSION.match(entry))


def _even(text: str) -> str:
    """Escapes of unreserved characters undone, others with capital digits; what lies beyond ASCII escaped."""
    if not text.isascii():
        text = quote(text.encode("utf-8", "surrogatepass"), safe=_SAFE)
    return _ESCAPE.sub(_escape, text) if "%" in text else text


def _escape(match: re.Match[str]) -> str:
    byte = unquote_to_bytes(match.group())[0]
    return chr(byte) if byte in _UNRESERVED else match.group().upper()


def _without_dots(path: str) -> str:
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if len(kept) > 1:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept)
