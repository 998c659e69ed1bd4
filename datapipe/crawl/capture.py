"""Fetches pages from a site over HTTP and keeps them as a crawler does: request and response, one gzip member each, in WARC.

The same pages give the same file: record ids follow from the addresses, and the date is that of the interpreter whose
documentation it is, not of the clock.
"""

from __future__ import annotations

import http.client
import io
import os
import platform
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from core.progress import Progress

HOST = "pydoc.localhost"
_SECONDS_A_PAGE = 30
_ROOT = Path(__file__).resolve().parent.parent.parent


@contextmanager
def site() -> Iterator[int]:
    """A site in a process of its own, with no environment but what Python needs; gives its port."""
    bare = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONPATH": str(_ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "datapipe.crawl.site"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=bare, cwd="/", stdout=subprocess.PIPE, stderr=quiet, stdin=quiet)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def capture(paths: Sequence[str], targets: Sequence[str], sites: int) -> tuple[int, int]:
    """Fetches the pages with one connection to each of so many sites, each page into one of the files in turn.

    Returns (pages captured, pages that never came).
    """
    lost = 0
    with ExitStack() as stack:
        ports = [stack.enter_context(site()) for _ in range(sites)]
        pools = [stack.enter_context(ThreadPoolExecutor(1)) for _ in ports]
        waiting = [pools[number % sites].submit(_fetch, ports[number % sites], path) for number, path in enumerate(paths)]
        bar = stack.enter_context(Progress("crawl", total=len(paths), unit="page"))
        handles = [stack.enter_context(open(target, "wb")) for target in targets]
        writers = [WARCWriter(handle, gzip=True, warc_version="1.0") for handle in handles]
        for writer in writers:
            _write(writer, "warcinfo", "", b"software: open-tele-flm\r\n", "application/warc-fields")
        for number, (path, future) in enumerate(zip(paths, waiting, strict=True)):
            writer = writers[number % len(writers)]
            answer = future.result()
            bar.advance()
            if answer is None:
                lost += 1
                continue
            url = f"http://{HOST}{path}"
            _write(writer, "request", url, f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            _write(writer, "response", url, answer)
    return len(paths) - lost, lost


def _fetch(port: int, path: str) -> bytes | None:
    """The response to a GET, status line and headers included; None where none comes in time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS_A_PAGE)
    try:
        connection.request("GET", path, headers={"Host": HOST})
        response = connection.getresponse()
        headers = "".join(f"{name}: {value}\r\n" for name, value in response.getheaders())
        return f"HTTP/1.1 {response.status} {response.reason}\r\n{headers}\r\n".encode() + response.read()
    except OSError:
        return None
    finally:
        connection.close()


def _write(writer: WARCWriter, kind: str, url: str, payload: bytes, content_type: str = "") -> None:
    headers = None
    if kind in ("request", "response"):
        head, _, payload = payload.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        protocol, _, status = first.partition(" ") if kind == "response" else ("", "", first)
        pairs = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        headers = StatusAndHeaders(status, pairs, protocol)
    given = {"WARC-Record-ID": f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{kind} {url}')}>", "WARC-Date": date()}
    record = writer.create_warc_record(
        url, kind, payload=io.BytesIO(payload), length=len(payload), http_headers=headers,
        warc_headers_dict=given, warc_content_type=content_type,
    )  # fmt: skip
    writer.write_record(record)


def date() -> str:
    """When this Python was built: how old its documentation is."""
    built = " ".join(platform.python_build()[1].split())
    for form in ("%b %d %Y %H:%M:%S", "%b %d %Y, %H:%M:%S"):
        try:
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.strptime(built, form))
        except ValueError:
            continue
    return "2024-01-01T00:00:00Z"
