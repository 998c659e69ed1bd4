"""What a stage kept comes out as files, whole or not at all, and comes back in as the same documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.config import ConfigError
from datapipe.config import DataConfig, ExtractConfig
from datapipe.document import Document, Verdict
from datapipe.write import Form, write
from tests.conftest import MakeWork
from tests.datapipe.sources.builders import CHINESE, SENTENCES, read

FIELDS = {"key_field": "id", "domain_field": "domain", "language_field": "language", "url": "url"}


def documents() -> list[Document]:
    made = [
        Document(
            "web",
            str(n),
            "Book",
            f"{SENTENCES[n % 3]}\n{CHINESE[n % 3]} {n}",
            "en",
            url=f"http://a.org/{n}",
            metadata={"a": "b"},
        )
        for n in range(12)
    ]
    return [*made, Document("web", "gone", "Book", "x", "en", verdict=Verdict("clean.rule"))]


@pytest.mark.parametrize(("form", "source"), [("jsonl", "records"), ("parquet", "parquet")])
def test_kept_documents_are_written_and_read_back(make_work: MakeWork, tmp_path: Path, form: Form, source: str) -> None:
    work = make_work("clean", documents(), DataConfig(extract=ExtractConfig(shards=2)))
    stage, target = work.inputs["documents"], tmp_path / "out"
    about = write(work.session, stage, str(target), form)
    assert json.loads((target / "manifest.json").read_text()) == about and about["documents"] == 12
    back = [document for name in about["files"] for document in read(target / name, source=source, options=FIELDS)]
    assert sorted((d.key, d.text, d.domain, d.language, d.url) for d in back) == sorted(
        (d.id, d.text, d.domain, d.language, d.url) for d in documents() if d.verdict is None
    )
    first = target / about["files"][0]
    (target / about["files"][1]).unlink()
    before = first.stat().st_mtime_ns
    assert write(work.session, stage, str(target), form) == about
    assert first.stat().st_mtime_ns == before and (target / about["files"][1]).exists(), "only what is missing is written"


def test_a_folder_of_another_form_is_refused(make_work: MakeWork, tmp_path: Path) -> None:
    work = make_work("clean", documents(), DataConfig(extract=ExtractConfig(shards=1)))
    write(work.session, work.inputs["documents"], str(tmp_path / "out"), "jsonl")
    with pytest.raises(ConfigError, match="holds documents of another run, stage or form"):
        write(work.session, work.inputs["documents"], str(tmp_path / "out"), "parquet")
