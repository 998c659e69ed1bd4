"""What the documents say is so: targets, files, links, settings and the error that the README quotes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from core.config import build_sections
from core.line import SECTIONS, STAGES, foreign
from datapipe.config import DataConfig
from trainer.config import TrainConfig

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in DOCUMENTS}
by_document = pytest.mark.parametrize("name", TEXTS)


@by_document
def test_every_make_target_exists(name: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lists = re.findall(r"^[A-Z]+ := ([a-z_ \\\n]+)$", makefile, re.MULTILINE)  # which rules name as variables
    targets = set(" ".join([*re.findall(r"^([a-z -]+):", makefile, re.MULTILINE), *lists]).split())
    assert targets >= {stage.name for stage in STAGES}
    assert set(re.findall(r"(?:^|[`$] ?)make ([a-z_-]+)\b", TEXTS[name], re.MULTILINE)) <= targets


@by_document
def test_every_link_leads_somewhere(name: str) -> None:
    folder = (ROOT / name).parent
    for target in re.findall(r"\]\(([^)#]+)\)", TEXTS[name]):
        assert target.startswith("http") or (folder / target).exists(), target


@by_document
def test_every_file_that_is_named_exists(name: str) -> None:
    named = re.findall(
        r"`((?:configs|jobs|docs|datapipe|trainer|tokenizer|report|core|tests|benchmarks)/[\w./-]*)`", TEXTS[name]
    )
    for path in named:
        assert (ROOT / path).exists(), path


@by_document
def test_every_piece_of_yaml_is_a_config(name: str) -> None:
    for block in re.findall(r"```yaml\n(.*?)```", TEXTS[name], re.DOTALL):
        tree = {key: value for key, value in yaml.safe_load(block).items() if key != "extends"}
        shared = {key: value for key, value in tree.items() if key in ("run", "seed")}
        for package, schema in (("datapipe", DataConfig), ("trainer", TrainConfig)):
            own = {key: value for key, value in tree.items() if key in SECTIONS[package]}
            build_sections({**shared, **own}, schema, foreign(package), name)
        assert set(tree) <= {"run", "seed", *SECTIONS["datapipe"], *SECTIONS["trainer"]}


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_error_that_is_quoted_is_the_one_that_is_given(name: str, tmp_path: Path) -> None:
    found = re.search(r'\$ make (\w+) .*ARGS="([^"]+)"\n(error: .*)\n', TEXTS[name])
    assert found is not None
    stage, override, said = found.groups()
    command = [sys.executable, "jobs/line.py", "--only", stage, "--config", "configs/demo.yaml", f"run={tmp_path}", override]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == said
    assert done.returncode == 2


def test_every_stage_stands_in_the_picture_of_the_line() -> None:
    for name in ("README.md", "README.zh.md"):
        assert [stage.name for stage in STAGES if stage.name not in TEXTS[name]] == [], name


def test_both_languages_have_the_same_documents() -> None:
    names = {name for name in TEXTS if not name.endswith(".zh.md")}
    assert {name.replace(".md", ".zh.md") for name in names} == {name for name in TEXTS if name.endswith(".zh.md")}


@pytest.mark.parametrize("target", ["write", "measure", "tune", "compression", "benchmark", "follow"])
def test_what_reads_a_run_takes_its_settings_unless_others_are_given(tmp_path: Path, target: str) -> None:
    own = tmp_path / "config.yaml"
    own.write_text("run: x\n", encoding="utf-8")

    def used(*given: str) -> str:
        command = ["make", "-n", "-o", ".venv/.ready", target, *given]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return str(re.findall(r"--config (\S+)", said)[0])

    assert used(f"RUN={tmp_path}") == str(own)
    assert used(f"RUN={tmp_path}", "CONFIG=configs/bpb.yaml") == "configs/bpb.yaml"
    assert used(f"RUN={tmp_path}/none") == "configs/demo.yaml"
