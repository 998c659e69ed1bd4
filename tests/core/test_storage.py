"""Files that are whole or absent, wherever they lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.utils import infer_storage_options
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

from core import objects, storage


def test_a_file_that_failed_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    uri = str(tmp_path / "deep" / "file.txt")
    with pytest.raises(RuntimeError), storage.aside(uri) as path:
        Path(path).write_text("half")
        raise RuntimeError
    assert list((tmp_path / "deep").iterdir()) == []


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    uri = str(tmp_path / "file.txt")
    storage.write_text(uri, "old")
    with pytest.raises(RuntimeError), storage.aside(uri) as path:
        Path(path).write_text("half")
        raise RuntimeError
    assert storage.read_text(uri) == "old"


def test_listing_takes_a_file_a_folder_or_a_glob_and_sorts(tmp_path: Path) -> None:
    for name in ("b/2.txt", "a/1.txt", "a/.hidden", "a/c/3.md"):
        storage.write_text(str(tmp_path / name), name)
    names = [Path(info.uri).name for info in storage.listing(str(tmp_path))]
    assert names == ["1.txt", "3.md", "2.txt"]
    assert [Path(info.uri).name for info in storage.listing(str(tmp_path / "**" / "*.txt"))] == ["1.txt", "2.txt"]
    assert [info.size for info in storage.listing(str(tmp_path / "a" / "1.txt"))] == [7]
    assert storage.listing(str(tmp_path / "none")) == []


def test_remote_files_are_written_listed_and_removed() -> None:
    uri = "memory://bucket/run/file.json"
    storage.write_json(uri, {"a": 1})
    assert storage.read_json(uri) == {"a": 1}
    assert [info.uri for info in storage.listing("memory://bucket/run")] == [uri]
    storage.remove("memory://bucket/run")
    assert not storage.exists(uri)


class Cluster(MemoryFileSystem):
    """A file system whose paths, as HDFS's, leave out the host and the port that its URIs name."""

    protocol = "cluster"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(infer_storage_options(path)["path"]).rstrip("/")


@pytest.fixture
def remote_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3, by its own wrapper over a folder, and a cluster with a host and a port."""
    folder = tmp_path / "objects"
    folder.mkdir()
    store = objects.S3(SubTreeFileSystem(str(folder), LocalFileSystem()))
    store.fs.create_dir("made/corpus/domains", recursive=True)  # which the real one does not need
    monkeypatch.setattr(objects, "s3", lambda: store)
    fsspec.register_implementation("cluster", Cluster, clobber=True)


@pytest.mark.usefixtures("remote_stores")
@pytest.mark.parametrize("root", ["s3://made", "s3a://made", "cluster://namenode:8020", "cluster://", "memory://made"])
@pytest.mark.parametrize("pattern", ["", "/", "/domains", "/domains/*.jsonl", "/**/*.jsonl"])
def test_files_are_listed_as_the_folder_was_spelled(root: str, pattern: str) -> None:
    corpus = f"{root}/corpus"
    uri = f"{corpus}/domains/a.jsonl"
    storage.write_text(uri, "text")
    assert [info.uri for info in storage.listing(corpus + pattern)] == [uri]
    assert storage.read_text(uri) == "text"


def test_an_account_that_the_paths_leave_out_is_put_back() -> None:
    root = "abfs://container@account.dfs.core.windows.net/corpus"
    assert storage._spelled(f"{root}/*.txt", "container/corpus/*.txt", "container/corpus/a.txt") == f"{root}/a.txt"
    assert storage._spelled("http://host/a/*", "http://host/a/*", "http://host/a/1.txt") == "http://host/a/1.txt"


def test_what_a_killed_process_left_is_neither_listed_nor_kept(tmp_path: Path) -> None:
    storage.write_text(str(tmp_path / "shards" / "0.parquet"), "whole")
    (tmp_path / "shards" / "1.parquet.aside-12345678").write_text("half")
    assert len(storage.listing(str(tmp_path))) == 1
    storage.sweep(str(tmp_path))
    assert [path.name for path in (tmp_path / "shards").iterdir()] == ["0.parquet"]
