"""Two good pages, one in each language, in which tests plant a fault; and the bounds of configs/cleaning.yaml."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from core.config import build, read_yaml
from datapipe.config import CleanConfig
from datapipe.document import Verdict
from datapipe.rules.judge import judge, remove_lines
from datapipe.rules.sets import Bounds
from datapipe.text.view import TextView

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "cleaning.yaml"

ENGLISH = """The ferry that crosses the estuary every half hour is older than anyone who works on it.
It was built in a yard that has since become a supermarket, and its engine came from a fishing boat that sank twice.
When the wind turns to the north, the captain leans out of the wheelhouse and listens, because the instruments lie.

Passengers rarely notice any of this. They sit below with newspapers, or stand at the rail and feed the gulls.
A schoolteacher who has commuted for twenty years told me that she marks most of her essays between the two piers.
"You learn to write when the hull is going up," she said, "and to think when it comes down."

Last winter the council proposed a bridge. Engineers drew three designs, each taller than the last, and a model was
shown in the library with tiny cars glued to it. People came to look, nodded politely, and asked what would happen to
the boat. Nobody from the planning office had prepared an answer, which settled the matter better than any vote.

So the old vessel goes on, repainted each spring in a green that no shop sells any more. The paint is mixed by a
retired chemist in his garage, from a recipe he refuses to write down. He says that he will teach it to the first
apprentice who can tell, with closed eyes, whether a brush has been properly cleaned.
"""

CHINESE = """渡口的那条老船比船上任何一个水手的年纪都大。造它的船厂早已改成了超市，发动机则是从一条沉过两次的渔船上拆下来的。
刮北风的时候，船长会把头探出驾驶舱仔细听，因为仪表常常说谎。

乘客很少留意这些事情。他们坐在舱里看报，或者站在栏杆边喂海鸥。一位通勤了二十年的语文老师告诉我，她的大部分作文都是在两个码头之间批改的。
“船头抬起来的时候适合写字，”她说，“落下去的时候适合想问题。”

去年冬天，镇上提议修一座桥。工程师画了三个方案，一个比一个高，还在图书馆里摆了模型，上面粘着小小的汽车。人们来看，客气地点头，
然后问起那条船以后怎么办。规划部门没有人准备过答案，这比任何一次投票都更快地决定了结果。

于是老船继续往返，每年春天重新刷上一种商店里早已买不到的绿色。油漆由一位退休的化学家在自家车库里调制，配方他从来不肯写下来。
他说，谁要是闭着眼睛就能摸出刷子洗得干不干净，他就把手艺传给谁。
"""


def config(**changes: object) -> CleanConfig:
    """The shipped settings of `clean`, with these changed."""
    return build(CleanConfig, {**read_yaml(CONFIG)["clean"], **changes}, "clean")


@lru_cache(maxsize=1)
def bounds() -> Bounds:
    """The shipped bounds, for all domains and languages."""
    return Bounds(config())


def verdict(text: str, language: str = "en", domain: str = "WebText") -> Verdict | None:
    """What the shipped bounds say of a text, lines removed first."""
    entry = bounds().of(domain, language)
    view, _ = remove_lines(TextView.of([text]), entry.lines)
    return judge(view, entry.pages)[0]


def broken(text: str, rule: str, language: str = "en", domain: str = "WebText") -> bool:
    """Whether a text breaks this one bound of the shipped set, whatever others it breaks."""
    entry = bounds().of(domain, language)
    view, _ = remove_lines(TextView.of([text]), entry.lines)
    return judge(view, {rule: entry.pages[rule]})[0] is not None


def left(text: str, language: str = "en", domain: str = "WebText") -> str:
    """The text without the lines that the shipped bounds take out."""
    view, _ = remove_lines(TextView.of([text]), bounds().of(domain, language).lines)
    return view.text(0)


def only_that_line_goes(rule: str, line: str, language: str = "en") -> bool:
    """Whether a line between two good pages is taken out by this rule and no other, and nothing besides it."""
    page = {"en": ENGLISH, "zh": CHINESE}[language]
    view, taken = remove_lines(TextView.of([f"{page}{line}\n{page}"]), bounds().of("WebText", language).lines)
    assert {name: counts.tolist() for name, counts in taken.items()} == {rule: [1]}
    assert line not in view.text(0)
    return view.text(0).replace("\n", "") == (page + page).replace("\n", "")
