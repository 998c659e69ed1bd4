"""A run and a corpus in an object store: a server on this machine that speaks S3's protocol and has no rename."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from pyarrow.fs import S3FileSystem

from core import storage
from core.objects import s3
from core.run import Run
from tests import made_corpus
from tests.line import digests, submit

pytestmark = pytest.mark.slow


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (
        ("AWS_ENDPOINT_URL", f"http://{host}:{port}"), ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "somebody"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_EC2_METADATA_DISABLED", "true"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    address = f"{host}:{port}"
    S3FileSystem(endpoint_override=address, scheme="http", region="us-east-1", allow_bucket_creation=True).create_dir("made")
    s3.cache_clear()
    yield "s3://made"
    s3.cache_clear()
    server.stop()


@pytest.mark.parametrize("scheme", ["s3", "s3a"])
def test_objects_are_written_whole_listed_and_removed(bucket: str, scheme: str) -> None:
    bucket = bucket.replace("s3", scheme)
    with pytest.raises(RuntimeError), storage.aside(f"{bucket}/a/half.txt") as path:
        Path(path).write_text("half")
        raise RuntimeError
    storage.write_text(f"{bucket}/a/whole.txt", "whole")
    storage.write_text(f"{bucket}/a/b/deep.txt", "deep")
    assert [info.uri for info in storage.listing(f"{bucket}/a")] == [f"{bucket}/a/b/deep.txt", f"{bucket}/a/whole.txt"]
    assert [info.size for info in storage.listing(f"{bucket}/**/*.txt")] == [4, 5]
    assert storage.listing(f"{bucket}/nowhere") == [] and not storage.exists(f"{bucket}/a/half.txt")
    storage.write_text(f"{bucket}/a/whole.txt", "another")
    assert storage.read_text(f"{bucket}/a/whole.txt") == "another"
    storage.remove(f"{bucket}/a")
    assert storage.listing(bucket) == []


def test_the_data_line_runs_from_bucket_to_bucket_as_it_does_on_a_disk(bucket: str, tmp_path: Path) -> None:
    corpus = made_corpus.write(tmp_path / "corpus")
    config = made_corpus.write_config(tmp_path / "line.yaml")
    for path in corpus.rglob("*"):
        if path.is_file():
            with storage.aside(f"{bucket}/corpus/{path.relative_to(corpus)}") as copy:
                Path(copy).write_bytes(path.read_bytes())
    local, remote = Run(str(tmp_path / "local")), Run(f"{bucket}/run")
    as_hadoop_spells = bucket.replace("s3", "s3a")
    for run, root in ((local, str(corpus)), (remote, f"{as_hadoop_spells}/corpus")):
        ended = submit(config, root, run, "encode")
        said = ended.communicate(timeout=400)[1]
        assert ended.returncode == 0, said[-3000:]
    assert digests(remote) == digests(local)
    assert len(digests(remote)) >= 8
    assert not [info.uri for info in storage.listing(f"{bucket}/run") if ".aside-" in info.uri or "_temporary" in info.uri]
    ended_at = {name: remote.stage(name).require()["at"] for name in digests(remote)}
    again = submit(config, f"{as_hadoop_spells}/corpus", remote, "encode")
    said = again.communicate(timeout=400)[1]
    assert again.returncode == 0, said[-3000:]
    assert {name: remote.stage(name).require()["at"] for name in ended_at} == ended_at, "a second call found all up to date"
