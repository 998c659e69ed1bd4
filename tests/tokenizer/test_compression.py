"""The compression table: rates by kind, the report's weights, ratios to Llama-3, and the table as it is printed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from tokenizers import Tokenizer

from tokenizer.compression import KINDS, REPORT, average, kind_of, ours, plot, rates, ratios, table


@pytest.mark.parametrize(("name", "printed"), [("GPT-4", 0.291), ("Llama-1/2", 0.356), ("Llama-3", 0.251), ("Tele-FLM", 0.261)])
def test_the_weights_give_the_averages_that_the_report_prints(name: str, printed: float) -> None:
    assert average(dict(zip(KINDS, REPORT[name], strict=True))) == pytest.approx(printed, abs=0.0015)


def test_rates_are_tokens_over_utf8_bytes(tokenizer: Tokenizer) -> None:
    measured = rates(ours(tokenizer.to_str()), {"English": ["12", "34"], "Chinese": ["江水"]})
    assert measured["English"] == 1.0, "four digits, four tokens"
    assert measured["Chinese"] == pytest.approx(len(tokenizer.encode("江水").ids) / 6)


@pytest.mark.parametrize(
    ("domain", "language", "kind"),
    [
        ("WebText", "en", "English"),
        ("Book", "zh", "Chinese"),
        ("ClassicalChinese", "zh", "Classical Chinese"),
        ("Code", "en", "Code"),
        ("Profession-Math", "zh", "Mathematical"),
        ("WebText", "el", "Multilingual"),
    ],
)
def test_a_document_belongs_to_a_column_of_the_report(domain: str, language: str, kind: str) -> None:
    assert kind_of(domain, language) == kind


def test_the_table_has_a_row_for_each_the_reports_below_and_ratios_to_llama_3() -> None:
    lines = table({"ours": {"English": 0.25, "Chinese": 0.2}, "Llama-3": {"English": 0.2, "Chinese": 0.3}}).splitlines()
    assert lines[0] == "| tokens per UTF-8 byte | English | Chinese | weighted |"
    assert lines[2] == "| ours | 0.250 | 0.200 | 0.232 |"
    assert lines[7] == "| report: Tele-FLM | 0.248 | 0.235 | 0.243 |"
    assert lines[8] == "| ours / Llama-3 | 1.250 | 0.667 | 0.982 |"
    assert lines[9] == "| report: Tele-FLM / Llama-3 | 1.127 | 0.799 | 0.986 |"


def test_without_llama_3_there_are_no_ratios() -> None:
    assert "/ Llama-3" not in table({"ours": {"English": 0.25}})


def test_ratios_weigh_the_rates_and_not_the_ratios() -> None:
    found = ratios({"English": 0.2, "Chinese": 0.2}, {"English": 0.2, "Chinese": 0.4})
    assert found["Chinese"] == 0.5
    assert found["weighted"] == pytest.approx(0.2 / ((0.2 * 0.554 + 0.4 * 0.313) / (0.554 + 0.313)))


@pytest.mark.parametrize(("form", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_a_bar_plot_is_written(tmp_path: Path, form: Literal["png", "svg"], begins: bytes) -> None:
    plot({"ours": {"English": 0.25}}, str(tmp_path / "bars"), form)
    assert (tmp_path / "bars").read_bytes().startswith(begins)
