"""The compression table: rates by kind, the report's weights, and the table as it is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tokenizer.compression import KINDS, REPORT, average, ours, peers, plot, rates, table


@pytest.mark.parametrize(("name", "printed"), [("GPT-4", 0.291), ("Llama-1/2", 0.356), ("Llama-3", 0.251), ("Tele-FLM", 0.261)])
def test_the_weights_give_the_averages_that_the_report_prints(name: str, printed: float) -> None:
    assert average(dict(zip(KINDS, REPORT[name], strict=True))) == pytest.approx(printed, abs=0.0015)


def test_rates_are_tokens_over_utf8_bytes(tokenizer) -> None:
    measured = rates(ours(tokenizer.to_str()), {"English": ["12", "34"], "Chinese": ["江水"]})
    assert measured["English"] == 1.0, "four digits, four tokens"
    assert measured["Chinese"] == pytest.approx(len(tokenizer.encode("江水").ids) / 6)


def test_the_table_has_a_row_for_each_and_the_reports_below() -> None:
    lines = table({"ours": {"English": 0.25, "Chinese": 0.2}, "Llama-3": {"English": 0.2, "Chinese": 0.3}}).splitlines()
    assert lines[0] == "| tokens per byte | English | Chinese | weighted |"
    assert lines[2] == "| ours | 0.250 | 0.200 | 0.232 |"
    assert lines[-1] == "| report: Tele-FLM | 0.248 | 0.235 | 0.243 |"


def test_a_bar_plot_is_written(tmp_path: Path) -> None:
    plot({"ours": {"English": 0.25}}, str(tmp_path / "bars.png"))
    assert (tmp_path / "bars.png").read_bytes().startswith(b"\x89PNG")


def test_a_missing_vocabulary_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="the vocabulary of GPT-4 is missing"):
        peers(str(tmp_path))
