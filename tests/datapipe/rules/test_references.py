"""Lists of references go, and what stands around them stays."""

from datapipe.config import Bound
from datapipe.rules.judge import remove_lines
from datapipe.rules.refinedweb import removed_words
from datapipe.text.view import TextView
from tests.datapipe.rules.pages import CHINESE, ENGLISH, left

REFERENCES = """References
[1] A. Smith and B. Jones. Ferries of the estuary. Journal of Boats, 12(3), 2004.
[2] C. Brown. Engines that sank twice. Harbour Press, 1998, pp. 12-19,
which was printed again in a small edition.
[3] https://ferries.example.org/timetable
"""


def test_a_list_of_references_goes_and_what_follows_it_stays() -> None:
    view, taken = remove_lines(TextView.of([ENGLISH + REFERENCES + ENGLISH]), {"references.entry": Bound(max=0)})
    assert view.text(0).replace("\n", "") == (ENGLISH + ENGLISH).replace("\n", "")
    assert taken["references.entry"].tolist() == [5]
    assert removed_words(view)[0] == 0


def test_a_chapter_called_references_is_no_list_of_them() -> None:
    text = ENGLISH + "References\n" + ENGLISH.replace("twice", "in 1968")
    assert remove_lines(TextView.of([text]), {"references.entry": Bound(max=0)})[0].text(0) == text
    chinese = CHINESE + "参考文献\n[1] 王五. 渡口的历史. 河口出版社, 1998.\n[2] 李四. 船的故事[J]. 2004.\n"
    assert left(chinese, "zh").strip() == CHINESE.strip()
