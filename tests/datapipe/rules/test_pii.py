"""Personal data is found by shape and checksum, replaced, and nothing else is touched."""

import pytest

from datapipe.config import PII_KINDS
from datapipe.rules.pii import is_card, is_chinese_id, replace
from datapipe.text.view import TextView


def cleaned(text: str) -> tuple[str, dict[str, int]]:
    return replace(TextView.of([text]), [0], PII_KINDS).get(0, (text, {}))


def with_id_check(first: str) -> str:
    return next(first + last for last in "0123456789X" if is_chinese_id(first + last))


def with_card_check(first: str) -> str:
    return next(first + last for last in "0123456789" if is_card(first + last))


def spaced(number: str, *sizes: int) -> str:
    """The number in groups of these sizes, and what is left."""
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return " ".join([*parts, number[at:]])


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("email", "Write to mia.k+x@uni-bonn.de, please", "Write to email@example.com, please"),
        ("email", "邮箱：zhang_san@163.com。", "邮箱：email@example.com。"),
        ("ip", "from 93.184.216.34 at noon", "from 192.0.2.1 at noon"),
        ("ipv6", "host 2001:4860:4860::8888 answers", "host 2001:db8::1 answers"),
        ("ipv6", "地址2400:3200:baba:1:2:3:4:1。", "地址2001:db8::1。"),
        ("phone", "Call +49 30 1234567 now", "Call +00 00 0000000 now"),
        ("phone", "(212) 736-5000 or", "(000) 000-0000 or"),
        ("phone", "电话：010-64870663，传真", "电话：000-00000000，传真"),
        ("zh_mobile", "手机13912345678联系", "手机00000000000联系"),
        ("zh_mobile", "手机 +86 139-1234-5678", "手机 +00 000-0000-0000"),
        ("zh_id", f"身份证{with_id_check('11010519491231002')}号", "身份证" + "0" * 18 + "号"),
        ("bank_card", f"card {with_card_check('455673758689985')}.", "card " + "0" * 16 + "."),
        ("email", "电邮：wangwu＠163.com", "电邮：email@example.com"),
        ("zh_mobile", "手机：１３８１２３４５６７８", "手机：" + "0" * 11),
        ("zh_mobile", "call 138.1234.5678", "call 000.0000.0000"),
        ("zh_id", f"id {spaced(with_id_check('11010519491231002'), 6, 8)}", "id 000000 00000000 0000"),
        ("bank_card", f"Amex {spaced(with_card_check('37828224631000'), 4, 6)}", "Amex 0000 000000 00000"),
        ("bank_card", f"卡号：{spaced(with_card_check('622202000000001234'), 6)}", "卡号：000000 0000000000000"),
        ("phone", "021-6512 3456", "000-0000 0000"),
        ("phone", "fax 0086-21-65123456", "fax 0000-00-00000000"),
        ("phone", "Tel: (415) 555 0132", "Tel: (000) 000 0000"),
        ("phone", "电话：010－62751234", "电话：000－00000000"),
    ],
)
def test_each_kind_is_replaced_and_counted(kind: str, text: str, expected: str) -> None:
    assert cleaned(text) == (expected, {kind: 1})


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np  # version 1.26.4, built 20240101",
        "section 1.2.3.4 of the standard, 192.168.0.1 and 127.0.0.1 and 999.1.1.1",
        "between 1999 and 2004-2010, at 10:30 on 2021-04-09",
        "pi is 3.14159265358979323846264338327950288",
        "ISBN 978-3-16-148410-0 and order 20230915123456789",
        "the decorator @property and user@localhost and a @ b",
        "身份证号码是十八位数字，例如 110105194912310021。",
        "id a1391234567890b, hash deadbeef13912345678",
        "already email@example.com",
        "std::vector::size, a::b, 12:30:45 and 00:1a:2b:3c:4d:5e, fe80::1:2:3 and ::1",
    ],
)
def test_numbers_of_other_kinds_stay(text: str) -> None:
    assert cleaned(text) == (text, {})


def test_only_the_given_documents_and_kinds_are_touched() -> None:
    view = TextView.of(["a@firm.de 93.184.216.34", "b@firm.de", "none"])
    assert set(replace(view, [0, 2], ["email"])) == {0}
    assert replace(view, [0], ["ip"])[0][0] == "a@firm.de 192.0.2.1"


def test_several_in_one_text_are_replaced_in_order() -> None:
    text, counts = cleaned("x@firm.de, y@firm.de; 13912345678 / (212) 736-5000")
    assert text == "email@example.com, email@example.com; 00000000000 / (000) 000-0000"
    assert counts == {"email": 2, "zh_mobile": 1, "phone": 1}
