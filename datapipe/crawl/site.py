"""A small web site on loopback: the pydoc pages of installed modules, each made when it is asked for.

Run as a process of its own (`python -m datapipe.crawl.site`), with a bare environment: pydoc imports the modules that it
documents and prints what they hold, so nothing of the user's may be there to print. Pages say the same on every request:
memory addresses and the places of files on this machine are taken out.
"""

from __future__ import annotations

import io
import pydoc
import re
import sys
import sysconfig
import warnings
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, HTTPServer

_ADDRESS = re.compile(r"(?:(?: |&nbsp;)at(?: |&nbsp;)0x|(?<= handle )|(?<=&nbsp;handle&nbsp;))[0-9a-fA-F]{6,16}")
_BANNER = re.compile(r"<div style='float:left'>.*?</div>", re.DOTALL)
_FILE_LINK = re.compile(r"<a href=\"file:[^\"]*\">[^<]*</a>")


def page(path: str) -> str:
    """The page of a module: `/json.decoder.html`. Raises whatever the import of the module raises."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        html = str(pydoc._url_handler(path.lstrip("/"), "text/html"))  # type: ignore[attr-defined]
    html = _FILE_LINK.sub("", _BANNER.sub("", html))
    for name in ("purelib", "platlib", "stdlib", "data"):
        html = html.replace(sysconfig.get_paths()[name], name)
    return _ADDRESS.sub("", html.replace(sys.base_prefix, "prefix"))


class Pages(BaseHTTPRequestHandler):
    """Answers GET; a module that cannot be documented is an error of the server, as on any site."""

    server_version, sys_version = "pydoc", ""

    def do_GET(self) -> None:
        try:
            body, status = page(self.path).encode("utf-8", "replace"), 200
        except (Exception, SystemExit) as error:  # modules raise all sorts of things when they are imported
            body, status = f"<html><body>{type(error).__name__}</body></html>".encode(), 500
        if b"<title>Pydoc: Error" in body[:2000]:
            status = 404
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """No clock: a page fetched tomorrow is the page fetched today."""
        return "Thu, 01 Jan 1970 00:00:00 GMT"

    def log_message(self, format: str, *arguments: object) -> None:
        """Silent: the crawler keeps the record."""


def main() -> None:
    """Serves on a free port of loopback, says which on the first line of output, and ends when its input is closed."""
    server = HTTPServer(("127.0.0.1", 0), Pages)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
