"""Files by URI (local path, hdfs://, s3://, http://) through fsspec and Arrow, and writing that is whole or absent.

On a file system with an atomic rename a file is written aside and renamed. On an object store nothing relies on rename:
an object appears only when its upload is complete, so it is written in place.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import fsspec

from core.config import ConfigError

_ASIDE = ".aside-"
_OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "abfs", "az", "oss"}


@dataclass(frozen=True)
class FileInfo:
    """A file as listed: its URI, size in bytes, and whatever the store calls a version (mtime or ETag)."""

    uri: str
    size: int
    version: str


def is_local(uri: str) -> bool:
    return "://" not in uri or uri.startswith("file://")


def local_path(uri: str) -> str:
    """The plain path of a local URI."""
    return uri[len("file://") :] if uri.startswith("file://") else uri


def is_object_store(uri: str) -> bool:
    """Whether a URI lies in a store of whole objects: no folders, no rename, an object appears when its upload is complete."""
    return uri.partition("://")[0] in _OBJECT_STORES


def _remote(uri: str) -> tuple[Any, str]:
    """The file system of a remote URI, with nothing remembered of what it listed before: other processes write to it too."""
    scheme, _, below = uri.partition("://")
    try:
        if scheme in ("s3", "s3a"):
            from core.objects import s3  # not at the top: a GPU node that reads local files needs no Arrow

            return s3(), below
        fs, path = fsspec.core.url_to_fs(uri)
    except ImportError as error:
        raise ConfigError(f"{uri}: {error}; install the driver of fsspec for {scheme}:// (gcsfs, adlfs ...).") from None
    fs.invalidate_cache()
    return fs, str(path)


def join(uri: str, *parts: str) -> str:
    return "/".join([uri.rstrip("/") if uri != "/" else "", *parts])


def open_uri(uri: str, mode: str = "rb", **options: Any) -> IO[Any]:
    """Opens a URI; text modes default to UTF-8."""
    if is_local(uri):
        encoding = None if "b" in mode else options.pop("encoding", "utf-8")
        return open(local_path(uri), mode, encoding=encoding, **options)
    fs, path = _remote(uri)
    handle: IO[Any] = fs.open(path, mode, **options)
    return handle


def exists(uri: str) -> bool:
    if is_local(uri):
        return os.path.exists(local_path(uri))
    fs, path = _remote(uri)
    return bool(fs.exists(path))


def listing(pattern: str) -> list[FileInfo]:
    """The files that a URI, a folder or a glob (`**` crosses folders) names, sorted by URI; empty where there are none.

    A folder means every file below it. Names that begin with a dot are passed over, and so are files still being written.
    """
    if is_local(pattern):
        path = local_path(pattern)
        found = [path] if os.path.exists(path) else sorted(glob.glob(path, recursive=True))
        files: list[str] = []
        for entry in found:
            if os.path.isdir(entry):
                files.extend(_walk(entry))
            else:
                files.append(entry)
        return [_local_info(name) for name in sorted(set(files))]
    fs, path = _remote(pattern)
    named = _found(fs, path)
    if "**" not in path:  # it names what lies below folders by itself
        for name, info in list(named.items()):
            named.update(_found(fs, name) if info["type"] == "directory" else {})
    infos = []
    for name, info in sorted(named.items()):
        if info["type"] == "file" and _ASIDE not in name and not name.rpartition("/")[2].startswith("."):
            version = info.get("ETag") or info.get("mtime") or info.get("LastModified") or info.get("modified") or ""
            infos.append(FileInfo(_spelled(pattern, path, name), int(info["size"] or 0), str(version)))
    return infos


def _spelled(pattern: str, path: str, name: str) -> str:
    """The URI of a file found by a pattern, which for its file system is `path`, in the pattern's own spelling: what the file
    system left out (s3a instead of s3, HDFS's host and port, Azure's account) is put back, or the file could not be placed
    below the folder that was named, and HDFS would be asked on another host."""
    if name.startswith(f"{pattern.partition('://')[0]}://"):  # http: nothing is left out
        return name
    if path and not path.endswith("/"):
        pattern = pattern.rstrip("/")
    same = len(os.path.commonprefix([pattern[::-1], path[::-1]]))
    return pattern[: len(pattern) - same] + name.removeprefix(path[: len(path) - same])


def _found(fs: Any, path: str) -> dict[str, dict[str, Any]]:
    """What a path or a glob names, with its sizes and versions, by one listing."""
    found = fs.glob(path, detail=True) if any(mark in path for mark in "*?[") else fs.find(path, detail=True)
    return dict(found)


def _walk(folder: str) -> Iterator[str]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (os.path.join(root, name) for name in names if not name.startswith(".") and _ASIDE not in name)


def _local_info(path: str) -> FileInfo:
    status = os.stat(path)
    return FileInfo(path, status.st_size, str(status.st_mtime_ns))


@contextmanager
def aside(uri: str) -> Iterator[str]:
    """Yields a local path to write to; when the block ends well the file stands at `uri`, whole, else nothing does."""
    if is_local(uri):
        path = local_path(uri)
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        temporary = f"{path}{_ASIDE}{uuid.uuid4().hex[:8]}"
        try:
            yield temporary
            os.replace(temporary, path)
        finally:
            if os.path.exists(temporary):
                os.remove(temporary)
        return
    with tempfile.TemporaryDirectory() as folder:
        temporary = os.path.join(folder, "file")
        yield temporary
        fs, path = _remote(uri)
        if is_object_store(uri):
            fs.put_file(temporary, path)
            return
        fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        beside = f"{path}{_ASIDE}{uuid.uuid4().hex[:8]}"
        fs.put_file(temporary, beside)
        fs.mv(beside, path)


def sweep(folder: str) -> None:
    """Removes what a killed process left half-written below a local folder (remote stores expire it by themselves)."""
    if is_local(folder):
        for path in glob.glob(f"{glob.escape(local_path(folder))}/**/*{_ASIDE}*", recursive=True):
            remove(path)


def write_text(uri: str, text: str) -> None:
    with aside(uri) as path, open(path, "w", encoding="utf-8") as handle:
        handle.write(text)


def read_text(uri: str) -> str:
    with open_uri(uri, "r") as handle:
        return str(handle.read())


def write_json(uri: str, value: Any) -> None:
    write_text(uri, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def read_json(uri: str) -> Any:
    return json.loads(read_text(uri))


def remove(uri: str) -> None:
    """Removes a file or a whole folder; nothing happens where there is none."""
    if is_local(uri):
        path = local_path(uri)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.remove(path)
        return
    fs, path = _remote(uri)
    if fs.exists(path):
        fs.rm(path, recursive=True)
