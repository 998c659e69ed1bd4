"""The whole line as a user starts it: raw pages in, an exported model and a report out, and nothing done twice."""

from __future__ import annotations

import time

import pytest

from tests.line import Line


def test_every_document_is_kept_or_on_the_ledger_at_every_stage(line: Line) -> None:
    stages = line.read("report", "summary.json")["stages"]
    order = ["extract", "clean", "dedup_paragraphs", "filter_quality", "dedup_documents", "decontaminate", "resample"]
    before = None
    for name in order:
        stage = stages[name]
        assert stage["kept"] + stage["removed"] == stage["in"] > 0, name
        assert sum(counts["in"] for counts in stage["by_domain"].values()) == stage["in"]
        assert before is None or stage["in"] == before, name
        before = stage["kept"]


def test_each_planted_fault_leaves_for_its_own_reason(line: Line) -> None:
    rules = {
        name: line.read(name, "manifest.json")["by_rule"] for name in ("extract", "clean", "dedup_documents", "decontaminate")
    }
    assert rules["extract"]["extract.http_status"] == {"WebText": 2}
    assert rules["extract"]["extract.truncated_file"] == {"WebText": 1}
    assert sum(sum(domains.values()) for rule, domains in rules["extract"].items() if "record" in rule) >= 1
    assert sum(rules["decontaminate"]["decontaminate.made"].values()) == 1
    copies = sum(sum(domains.values()) for domains in rules["dedup_documents"].values())
    copies += sum(sum(domains.values()) for rule, domains in rules["extract"].items() if rule.startswith("triage.same"))
    parsed = line.read("dedup_paragraphs", "manifest.json")
    assert copies + parsed["removed"] >= 2  # the copies on another host, and what the cut archive repeats


def test_the_model_learned_and_was_exported(line: Line) -> None:
    summary = line.read("report", "summary.json")
    assert summary["train"]["steps"] == 12
    assert summary["train"]["last_loss"] < summary["train"]["first_loss"]
    assert set(summary["bpb"]) == set(summary["tokens"]) == {"WebText", "Book", "WorldKnowledge"}
    assert all(value > 0 for value in summary["bpb"].values())
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(line.run / "export")
    tokenizer = AutoTokenizer.from_pretrained(line.run / "export")
    ids = tokenizer("The gardener measured the wooden bridge.", return_tensors="pt").input_ids
    assert model(ids).logits.shape[:2] == ids.shape


def test_a_second_call_finds_everything_up_to_date_within_ten_seconds(line: Line) -> None:
    before = {path: path.stat().st_mtime_ns for path in line.run.glob("*/manifest.json") if path.parent.name != "report"}
    began = time.monotonic()
    ended = line()
    seconds = time.monotonic() - began
    assert ended.returncode == 0 and seconds < 10, (seconds, ended.stderr[-2000:])
    assert ended.stderr.count("up to date") == 13
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_a_changed_setting_redoes_only_what_depends_on_it(line: Line) -> None:
    listed = line("--list", "evaluate.batch=4").stdout.split()
    assert listed == ["evaluate"]
    listed = line("--list", "encode.validation=0.09").stdout.split()
    assert listed == ["encode", "pretrain", "evaluate", "export"]
    assert line("--list", "parallel.data=1", "spark.partitions=9").stdout.strip() == "everything is up to date"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["clean.pi=[]"], ["clean.pi", "no such setting", "did you mean 'pii'"]),
        (["model.heads=3"], ["model.heads = 3", "32"]),
        (["corpus=/nowhere/at/all"], ["/nowhere/at/all"]),
        (["run=/proc/run"], ["/proc/run", "cannot be written"]),
        (["--only", "cleann"], ["cleann", "no such stage"]),
    ],
)
def test_what_cannot_work_is_said_in_one_line_before_anything_starts(
    line: Line, arguments: list[str], words: list[str]
) -> None:
    ended = line(*arguments)
    assert ended.returncode == 2
    said = ended.stderr.strip().splitlines()[-1]
    assert said.startswith("error: ") and all(word in said for word in words), ended.stderr[-2000:]
