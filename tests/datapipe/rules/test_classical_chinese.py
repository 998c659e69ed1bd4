"""The set for classical Chinese."""

from datapipe.rules.classical_chinese import vernacular
from datapipe.text.view import TextView
from tests.datapipe.rules.pages import CHINESE, broken, verdict

CLASSICAL = "山有木而人不知其名，水有源而人不窮其始。鄉之父老相與言曰：昔者有客自東來，舍於橋側，旬日而去，莫知所之。"


def test_classical_chinese_stays_and_modern_text_about_it_goes() -> None:
    assert verdict(CLASSICAL, "zh", "ClassicalChinese") is None
    found = verdict(CHINESE, "zh", "ClassicalChinese")
    assert found is not None and found.rule == "classical_chinese.vernacular"
    assert vernacular(TextView.of([CLASSICAL]))[0] == 0


def test_an_edition_full_of_gaps_goes() -> None:
    assert broken(CLASSICAL.replace("不", "□□"), "classical_chinese.missing_characters", "zh", "ClassicalChinese")
