"""What a reader of the report sees, from whole runs, half-finished runs and broken ones."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from core.config import ConfigError
from report.config import ReportConfig, ReportSettings
from report.make import make
from report.read import read_run
from report.summary import summary
from tests.report.conftest import RunWriter, judged

_VOID = {"meta", "line", "path", "br", "link", "img"}


class Page(HTMLParser):
    """The text that a page shows, its outside references, and whether its tags close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.open: list[str] = []
        self.outside: list[str] = []
        self.tags: list[str] = []
        self.feed(html)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.outside += [value for name, value in attrs if name in ("src", "href") and value and not value.startswith("#")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += " " + data


def page_of(run: Path, **settings: int) -> Page:
    make(ReportConfig(run=str(run), report=ReportSettings(**settings)))
    page = Page((run / "report" / "index.html").read_text(encoding="utf-8"))
    assert not page.open
    return page


def summary_of(run: Path) -> dict[str, Any]:
    make(ReportConfig(run=str(run)))
    found: dict[str, Any] = json.loads((run / "report" / "summary.json").read_text(encoding="utf-8"))
    return found


def test_the_summary_holds_the_figures_that_scripts_read(finished: Path) -> None:
    found = summary_of(finished)
    clean = found["stages"]["clean"]
    assert (clean["in"], clean["kept"], clean["removed"], clean["seconds"]) == (1200, 930, 270, 75.0)
    assert clean["by_domain"]["WebText"]["removed"] == 260
    assert clean["by_rule"] == {"gopher.bullet_lines": 270}
    assert found["tokens"] == {"WebText": 6000, "Code": 2000}
    assert found["train"]["steps"] == 3 and found["train"]["tokens_per_second"] == 512.5
    assert (found["train"]["first_loss"], found["train"]["last_loss"]) == (9.1, 6.4)
    assert found["bpb"] == pytest.approx({"WebText": 2.164, "Code": 1.803})
    assert found["seed"] == 7


def test_parts_of_a_domain_are_one_domain_in_the_summary(new_run: Callable[[], RunWriter]) -> None:
    run = new_run()
    tokens = {"WebText.en": 30, "WebText.zh": 12, "Code": 5}
    run.stage("encode", mix={entry: {"train_tokens": count} for entry, count in tokens.items()})
    entries = {"WebText.en": (2.0, 100), "WebText.zh": (3.0, 300), "Code": (1.5, 10)}
    run.stage("evaluate", bpb={entry: {"bpb": bpb, "utf8_bytes": size} for entry, (bpb, size) in entries.items()})
    found = summary(read_run(str(run.root)))
    assert found["tokens"] == {"WebText": 42, "Code": 5}
    assert found["bpb"] == pytest.approx({"WebText": (200 + 900) / 400, "Code": 1.5})
    assert found["validation"]["WebText.zh"]["bpb"] == 3.0 and found["mix"]["WebText.en"]["train_tokens"] == 30


def test_the_funnel_shows_documents_and_bytes_of_each_domain(finished: Path) -> None:
    text = page_of(finished).text
    assert "WebText 1,000 100 kB 900 90 % · 90 kB 640 64 % · 64 kB" in text
    assert "930 kept, 270 removed" in text
    assert "Every document is accounted for" in text


def test_a_removed_document_is_shown_with_its_measure_and_bound(finished: Path) -> None:
    text = page_of(finished).text
    assert "gopher.bullet_lines" in text and "WebText 260, Code 10" in text
    assert "measured 0.875, bound 0.3 lines WebText, en warc/a.warc.gz #12" in text


def test_removed_text_cannot_act_in_the_page(finished: Path) -> None:
    page = page_of(finished)
    assert page.tags.count("script") == 1
    assert "<script>alert('gone')</script> cheap & cheerful \\u202e" in page.text


def test_a_private_corpus_can_be_kept_out_of_the_page(finished: Path) -> None:
    text = page_of(finished, examples=0).text
    assert "cheerful" not in text and "gopher.bullet_lines" in text


def test_the_page_needs_nothing_from_outside(finished: Path) -> None:
    assert page_of(finished).outside == []


def test_the_token_table_sets_what_was_asked_beside_what_was_drawn(finished: Path) -> None:
    text = page_of(finished).text
    assert "WebText 75.21 % 75.00 % 1 1.5 9,000 6,000 75.00 % 60" in text
    assert "Code 9.81 % 25.00 % 2.5 1.5 3,000 2,000 25.00 % 40" in text


def test_the_bpb_table_sets_the_model_beside_a_unigram_and_sums_all_domains(finished: Path) -> None:
    text = page_of(finished).text
    assert "WebText 2.164 1.500 2.525 6.000 7.000 60* 240 0.250" in text
    assert "Code 1.803 1.000 2.344 5.000 6.500 4,000 16,000 0.250" in text
    assert "All 1.809 1.007 2.347 5.015 6.507 4,060 16,240 0.250" in text  # (60 x 6 + 4000 x 5) / 16240 / ln 2
    assert "llama BPB" in text and "* Fewer than 2,000 held-out tokens" in text
    assert "Blocked context." in text


def test_tables_stand_in_the_reports_columns_and_say_what_their_sums_cover(finished: Path) -> None:
    text = page_of(finished).text
    assert "English – in the columns of the report's tables; the sums cover 82.0 % of the weight" in text
    assert "BPB 2.164 2.164" in text
    assert "llama, loss – 4.000" in text and "llama, BPB – 1.500" in text
    assert "llama: windows of 2,048 of its own tokens." in text


def test_what_the_monitor_noticed_is_shown(finished: Path) -> None:
    text = page_of(finished).text
    assert "noticed by the monitor: 1 3 The loss rose & fell at step 3." in text


def test_a_step_that_was_trained_again_after_a_kill_counts_as_last_written(finished: Path) -> None:
    make(ReportConfig(run=str(finished)))
    html = (finished / "report" / "index.html").read_text(encoding="utf-8")
    curves = [json.loads(unescape(found)) for found in re.findall(r'data-curves="([^"]*)"', html)]
    assert {"name": "loss", "values": [[1, 9.1], [2, 7.5], [3, 6.4]]} in curves[0]


def test_validation_losses_are_drawn_for_each_domain(finished: Path) -> None:
    text = page_of(finished).text
    assert "WebText 8.000 → 6.000" in text and "Code 7.000 → 5.000" in text


def test_a_run_that_has_only_been_cleaned_says_what_is_missing(new_run: Callable[[], RunWriter]) -> None:
    run = new_run()
    run.record(run="runs/small")
    run.stage("extract", **judged({"WebText": (10, 8)}, "extract.empty"))
    text = page_of(run.root).text
    for missing in ("run make encode", "run make pretrain", "run make evaluate"):
        assert missing in text
    found = summary_of(run.root)
    assert not {"train", "bpb", "tokens"} & set(found)
    assert found["stages"]["extract"]["kept"] == 8


def test_a_run_under_way_shows_the_training_so_far(new_run: Callable[[], RunWriter]) -> None:
    run = new_run()
    run.record(run="runs/small")
    run.log({"step": 1, "tokens": 10, "loss": 5.0, "grad_norm": None}, {"step": 2, "tokens": 20, "loss": 4.0})
    assert "2 steps, 20 tokens; the run has not ended yet" in page_of(run.root).text
    assert summary_of(run.root)["train"]["finished"] is False


def test_documents_that_got_lost_are_named(new_run: Callable[[], RunWriter]) -> None:
    run = new_run()
    run.record(run="runs/small")
    run.stage("extract", **judged({"WebText": (10, 8)}, "extract.empty"))
    run.stage("clean", **judged({"WebText": (7, 7)}, "none"))
    text = page_of(run.root).text
    assert "Does not add up: clean: 7 came in, but extract kept 8." in text
    assert "Every document is accounted for" not in text


def test_a_folder_that_holds_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no run here"):
        make(ReportConfig(run=str(tmp_path)))
    assert not (tmp_path / "report").exists()


def test_the_job_is_not_hidden_by_its_own_file_name(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("report: {examples: 1}\n")
    job = Path(__file__).parents[2] / "jobs" / "report.py"
    done = subprocess.run(
        [sys.executable, str(job), "--config", str(tmp_path / "c.yaml"), f"run={finished}"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip().endswith("report/index.html")


def test_another_mix_is_an_upright_line_in_every_curve_of_training(new_run: Callable[[], RunWriter]) -> None:
    run = new_run()
    run.record()
    steps = [{"step": n, "tokens": 10 * n, "loss": 5.0 - n, "grad_norm": 1.0, "lr": {"all": 0.1}} for n in (1, 2, 3)]
    scores = [{"step": n, "validation": {"Code": {"loss": 4.0, "bpb": 1.0}}} for n in (1, 3)]
    mark = {"step": 2, "event": "new_mix", "message": "step 2: another mix of data from here (a before, b now)"}
    run.log(*steps[:2], mark, steps[2], *scores)
    page = page_of(run.root)
    html = (run.root / "report" / "index.html").read_text(encoding="utf-8")
    assert html.count('<line class="mark" x1="500.0" x2="500.0"') == 5, "loss, norm, rate, validation loss and bits per byte"
    assert "another mix of data (step 2)" in page.text
    run.log(*steps)
    assert "another mix" not in page_of(run.root).text
    assert 'class="mark"' not in (run.root / "report" / "index.html").read_text(encoding="utf-8")
