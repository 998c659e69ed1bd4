"""The bytes of a file as stored, read with patience: a network that fails for a moment is no reason to give up a file, and one
that fails for good says nothing about the file."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, TypeVar

from core.storage import is_local, open_uri

_Result = TypeVar("_Result")

ATTEMPTS = 5  # for a file whose store fails: waits of 1, 2, 4 and 8 seconds lie between them
FIRST_WAIT = 1.0


class Unreachable(OSError):
    """The store did not give a file's bytes, however often it was asked. That says nothing about the file."""


class Patient(io.RawIOBase):
    """A file whose store may fail for a while: it is reopened and read on where it stopped. Raises Unreachable once all
    attempts have failed, FileNotFoundError at once."""

    def __init__(self, uri: str, begin: int = 0) -> None:
        self._uri = uri
        self._offset = begin
        self._handle: IO[bytes] | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._offset

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            offset += self._tried(lambda handle: handle.seek(0, io.SEEK_END))
        self._offset = self._offset + offset if whence == io.SEEK_CUR else offset
        return self._offset

    def read(self, size: int = -1) -> bytes:
        data = self._tried(lambda handle: handle.read(size))
        self._offset += len(data)
        return data

    def _tried(self, action: Callable[[IO[bytes]], _Result]) -> _Result:
        """What the action gives on the file as it stands at the offset."""
        for attempt in range(ATTEMPTS):
            try:
                if self._handle is None:
                    self._handle = open_uri(self._uri, "rb")
                if self._handle.tell() != self._offset:
                    self._handle.seek(self._offset)
                return action(self._handle)
            except FileNotFoundError:
                raise
            except Exception as error:  # each filesystem has errors of its own; the last attempt lets them through
                self._drop()
                if attempt + 1 == ATTEMPTS:
                    failed = f"{self._uri}: gave up at byte {self._offset:,} after {ATTEMPTS} attempts: {error}"
                    raise Unreachable(failed) from error
                time.sleep(FIRST_WAIT * 2**attempt)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _drop(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            handle.close()

    def close(self) -> None:
        self._drop()
        super().close()


@contextmanager
def open_stored(uri: str, begin: int = 0) -> Iterator[IO[bytes]]:
    """The bytes of a file as stored, from `begin` on; a remote one is read with retries."""
    stored: Any = open_uri(uri, "rb") if is_local(uri) else Patient(uri, begin)
    try:
        if begin and is_local(uri):
            stored.seek(begin)
        yield stored
    finally:
        stored.close()
