"""Common Crawl's host, played by a server on loopback: path list, streaming, a connection that breaks."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.config import ConfigError, load
from core.line import foreign
from datapipe.config import DataConfig, ExtractConfig, InputConfig
from datapipe.sources import stored
from datapipe.sources.inputs import find
from datapipe.sources.reading import documents
from tests.datapipe.sources.builders import outcomes, page, warc

FILE = Path(__file__).resolve().parents[3] / "configs/sources/commoncrawl.yaml"
PATHS = [f"crawl-data/CC-MAIN-2024-22/segments/1/warc/CC-MAIN-{number:05d}.warc.gz" for number in range(3)]


class Host(SimpleHTTPRequestHandler):
    """Serves a folder with ranges, as object stores do, and breaks the first answers for a crawl file half-way."""

    breaks = 0

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        start, stop = 0, len(data) - 1
        asked = self.headers.get("Range")
        if asked:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last) if last else stop, stop)
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(stop - start + 1))
        self.send_header("Accept-Ranges", "bytes")
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{stop}/{len(data)}")
        self.end_headers()
        if path.name.endswith(".warc.gz") and type(self).breaks > 0:
            type(self).breaks -= 1
            self.wfile.write(data[start : start + (stop - start) // 2])
            self.close_connection = True
            return
        self.wfile.write(data[start : stop + 1])

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    for path in PATHS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        warc(tmp_path / path, [(page().encode(), {})] * 4)
    listing = tmp_path / "crawl-data/CC-MAIN-2024-22/warc.paths.gz"
    listing.write_bytes(gzip.compress("".join(f"{path}\n" for path in PATHS).encode()))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Host, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()


def rules(**options: Any) -> ExtractConfig:
    return ExtractConfig(inputs=[InputConfig(source="commoncrawl", options=options)])


@pytest.mark.parametrize("beside", [True, False])
def test_the_first_files_of_a_snapshot_are_read_from_its_host(host: str, tmp_path: Path, beside: bool) -> None:
    options, (own, corpus) = "extract.collections.commoncrawl.options", (host, str(tmp_path)) if beside else ("", host)
    config = load(FILE, [f"{options}.host='{own}'", f"{options}.count=2"], DataConfig, foreign("datapipe")).extract
    claimed = find(config, corpus, must_exist=True)
    assert [file.path for file, _ in claimed] == PATHS[:2]
    made = [document for file, rule in claimed for document in documents(file, rule, config)]
    assert outcomes(made) == ["kept"] * 8 and made[0].source == PATHS[0]


def test_reading_goes_on_where_the_connection_broke(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(Host, "breaks", 2)
    config = rules(first=1)
    [(file, rule)] = find(config, host)
    assert outcomes(list(documents(file, rule, config))) == ["kept"] * 4
    assert Host.breaks == 0


def test_a_host_without_the_snapshot_is_named(host: str) -> None:
    with pytest.raises(ConfigError, match="CC-MAIN-1999-01/warc.paths.gz cannot be read"):
        find(rules(snapshot="CC-MAIN-1999-01"), host)
