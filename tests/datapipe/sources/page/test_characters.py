"""Characters counted for all lines at once, against one line at a time."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from datapipe.sources.page.characters import FEW, FURNITURE, count, furniture_and_dates

LINES = st.lists(st.text('aZ9 .,。，、！|：日あ한é"Я…', min_size=1, max_size=30), min_size=1, max_size=8)


@given(LINES)
def test_counts_are_those_of_each_line_alone(lines: list[str]) -> None:
    counted = count(lines)
    for place, line in enumerate(lines):
        assert counted.size[place] == len(line)
        assert counted.wide[place] == len(re.findall("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]", line))
        assert counted.ends[place] == len(re.findall(r"[.!?…](?=[\s\"]|$)|[。！]", line))
        assert counted.commas[place] == len(re.findall(r",(?=[\s\"]|$)|[，、]", line))
        assert (counted.digits[place], counted.spaces[place]) == (line.count("9"), line.count(" "))
        assert counted.capitals[place] == line.count("Z") + line.count("Я")


def test_words_of_a_frame_and_dates_are_found_on_short_lines_only() -> None:
    lines = ["Copyright 2020", "the miller walked", "版权所有", "at 10:45", "cookie " * FEW, "all rights", "reserved"]
    lines += ["a year ago", "agora"]
    furniture, dates = furniture_and_dates(lines, count(lines).digits)
    assert furniture.tolist() == [1, 0, 1, 0, 0, 1, 0, 0, 0]
    assert dates.tolist() == [1, 0, 0, 1, 0, 0, 0, 1, 0]
    assert all(word == word.lower() for word in FURNITURE)
