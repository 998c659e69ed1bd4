"""S3, and whatever speaks its protocol, by the client that Arrow brings: no further driver, and no event loop to fork.

Endpoint, region and credentials are those of the environment, under AWS's own names: AWS_ENDPOINT_URL (or
AWS_ENDPOINT_URL_S3), AWS_REGION, AWS_ACCESS_KEY_ID and so on, a profile, or the role of the machine.
"""

from __future__ import annotations

import os
import shutil
from functools import lru_cache
from typing import Any

from fsspec.implementations.arrow import ArrowFSWrapper
from pyarrow.fs import FileSelector, FileType, S3FileSystem

_BLOCK = 8 << 20
_ATTEMPTS = 10  # of each request, with growing waits; a busy store answers "slow down" now and then


class S3(ArrowFSWrapper):
    """Arrow's S3 client as a file system of fsspec. An object is there when its upload is complete, and never in part."""

    cachable = False

    def put_file(self, lpath: str, rpath: str, **kwargs: Any) -> None:
        """Uploads a local file. What an error on the way may have left, which Arrow closes as if it were whole, is removed."""
        stream = self.fs.open_output_stream(rpath, compression=None)
        try:
            with open(lpath, "rb") as source:
                shutil.copyfileobj(source, stream, _BLOCK)
            stream.close()
        except BaseException:
            stream.close()
            self.fs.delete_file(rpath)
            raise

    def find(self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **kwargs: Any) -> Any:
        """All objects below a path, by one listing instead of one a folder."""
        if maxdepth is not None:
            return super().find(path, maxdepth=maxdepth, withdirs=withdirs, detail=detail, **kwargs)
        info = self.fs.get_file_info(path)
        below = self.fs.get_file_info(FileSelector(path, allow_not_found=True, recursive=True))
        chosen = [entry for entry in (info, *below) if withdirs or entry.type is FileType.File]
        found = {entry.path: self._make_entry(entry) for entry in chosen if entry.type is not FileType.NotFound}
        return found if detail else sorted(found)


@lru_cache(maxsize=1)
def s3() -> S3:
    """The client of this process."""
    from pyarrow.fs import AwsStandardS3RetryStrategy

    settings: dict[str, Any] = {"retry_strategy": AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS)}
    if endpoint := os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"):
        scheme, _, address = endpoint.rpartition("://")
        settings.update(endpoint_override=address.rstrip("/"), scheme=scheme or "https")
    if region := os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"):
        settings["region"] = region
    return S3(S3FileSystem(**settings))
