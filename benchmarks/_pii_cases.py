"""Planted personal data and what only looks like it, drawn from a seed, in sentences of our own; nothing belongs to anyone."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from datapipe.rules.pii import is_card, is_chinese_id

ENGLISH = ("Please write: {} is what the form said.", "The note ({}) was on the desk.", "She wrote {} and left.", "Record: {}")
CHINESE = ("登记的内容是{}，请核对。", "联系方式：{}", "他写下{}就走了。", "表格里填的是（{}）。")
_NAMES = "lena omar yuki paul wang.lei zhao_min anna-maria j.doe contact info99".split()
_HOSTS = "uni-freiburg.de mail.ru 163.com qq.com firm.co.uk kyoto-u.ac.jp lab.research.org".split()


def planted(seed: int, count: int) -> Iterator[tuple[str, str]]:
    """(kind, text) with one piece of personal data each, `count` of each kind, half of them in Chinese sentences."""
    rng = random.Random(seed)
    for kind, draw in KINDS.items():
        for number in range(count):
            yield kind, rng.choice((ENGLISH, CHINESE)[number % 2]).format(draw(rng))


def look_alikes(seed: int, count: int) -> Iterator[tuple[str, str]]:
    """(what it is, text) that holds no personal data, `count` of each sort."""
    rng = random.Random(seed + 1)
    for sort, draw in LOOK_ALIKES.items():
        for number in range(count):
            yield sort, rng.choice((ENGLISH, CHINESE)[number % 2]).format(draw(rng))


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def _checked(first: str, last: str, check: Callable[[str], bool]) -> str:
    return next(first + mark for mark in last if check(first + mark))


def _zh_id(rng: random.Random) -> str:
    area = rng.choice(("110101", "310104", "440305", "510107", "330106"))
    day = f"{rng.randint(1945, 2010)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
    return _checked(area + day + _digits(rng, 3), "0123456789X", is_chinese_id)


def _card(rng: random.Random) -> str:
    number = _checked(rng.choice(("4539", "5425", "6222", "3561")) + _digits(rng, 11), "0123456789", is_card)
    mark = rng.choice(("", " ", "-"))
    return mark.join(number[at : at + 4] for at in range(0, 16, 4))


def _zh_mobile(rng: random.Random) -> str:
    number = rng.choice(("13", "15", "17", "18", "19")) + _digits(rng, 9)
    parts = number[:3], number[3:7], number[7:]
    return rng.choice((number, f"+86 {number}", "-".join(parts), " ".join(parts)))


def _ip(rng: random.Random) -> str:
    return f"{rng.choice((23, 45, 61, 81, 93, 121, 185))}.{rng.randint(0, 99)}.{rng.randint(20, 255)}.{rng.randint(1, 254)}"


def _ipv6(rng: random.Random) -> str:
    groups = [rng.choice(("2001", "2400", "2606", "2a00")), *(f"{rng.randint(4096, 65535):x}" for _ in range(7))]
    return rng.choice((":".join(groups), "::".join((":".join(groups[:3]), groups[7]))))


def _phone(rng: random.Random) -> str:
    area, middle, last = rng.randint(201, 989), rng.randint(200, 999), _digits(rng, 4)
    return rng.choice((
        f"({area}) {middle}-{last}", f"{area}-{middle}-{last}", f"+1 {area} {middle} {last}", f"+1-{area}-{middle}-{last}",
        f"+44 20 7946 {last}", f"+49 30 {_digits(rng, 7)}", f"+33 1 42 68 {last[:2]} {last[2:]}",
        f"+81 3-{_digits(rng, 4)}-{last}",
        f"010-{rng.randint(6, 8)}{_digits(rng, 7)}", f"0755-{rng.randint(2, 8)}{_digits(rng, 7)}",
        f"(021){rng.randint(5, 6)}{_digits(rng, 7)}",
        f"400-{_digits(rng, 3)}-{last}",
    ))  # fmt: skip


KINDS: dict[str, Callable[[random.Random], str]] = {
    "email": lambda rng: f"{rng.choice(_NAMES)}{rng.randint(1, 99)}@{rng.choice(_HOSTS)}",
    "ip": _ip,
    "ipv6": _ipv6,
    "phone": _phone,
    "zh_mobile": _zh_mobile,
    "zh_id": _zh_id,
    "bank_card": _card,
}


def _isbn13(rng: random.Random) -> str:
    body = "978" + _digits(rng, 9)
    check = -sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(body)) % 10
    return f"{body[:3]}-{body[3]}-{body[4:8]}-{body[8:]}-{check}"


def _wrong_id(rng: random.Random) -> str:
    return next(number for number in iter(lambda: _zh_id(rng)[:17] + rng.choice("0123456789"), "") if not is_chinese_id(number))


def _wrong_card(rng: random.Random) -> str:
    return next(number for number in iter(lambda: "4" + _digits(rng, 15), "") if not is_card(number))


LOOK_ALIKES: dict[str, Callable[[random.Random], str]] = {
    "version": lambda rng: ".".join(str(rng.randint(0, 12)) for _ in range(4)),
    "section": lambda rng: f"section {rng.randint(1, 9)}.{rng.randint(1, 9)}.{rng.randint(1, 9)}.{rng.randint(1, 19)}",
    "private address": lambda rng: f"192.168.{rng.randint(0, 255)}.{rng.randint(1, 254)}",
    "ISBN": _isbn13,
    "date and time": lambda rng: (
        f"{rng.randint(1990, 2029)}-0{rng.randint(1, 9)}-{rng.randint(10, 28)}T10:{rng.randint(10, 59)}:07"
    ),
    "years": lambda rng: f"{rng.randint(1800, 1899)}-{rng.randint(1900, 1999)}",
    "git hash": lambda rng: "".join(rng.choice("0123456789abcdef") for _ in range(40)),
    "arithmetic": lambda rng: f"{_digits(rng, 4)} + {_digits(rng, 4)} - {_digits(rng, 3)} = {_digits(rng, 5)}",
    "decimal": lambda rng: f"{rng.randint(0, 9)}.{_digits(rng, 16)}",
    "product": lambda rng: f"SKU{_digits(rng, 11)}-B",
    "amount": lambda rng: f"{rng.randint(1, 99)},{_digits(rng, 3)},{_digits(rng, 3)} yuan",
    "handle": lambda rng: f"@{rng.choice(_NAMES)} and user@localhost",
    "scope operator": lambda rng: rng.choice(("std::vector::size", "a::b", "Foo::Bar::baz", "00:1a:2b:3c:4d:5e", "12:30:45")),
    "id of a wrong check": _wrong_id,
    "card of a wrong check": _wrong_card,
}


def by_hand() -> Iterator[tuple[str, str]]:
    """(kind, text) in the spellings that people use, one each; written before the rules were made to read them."""
    amex, union, visa = (
        _with_card_check("37828224631000"),
        _with_card_check("622202000000001234"),
        _with_card_check("401288888888188"),
    )
    person = _checked("11010119900307775", "0123456789X", is_chinese_id)
    spaced = f"{person[:6]} {person[6:14]} {person[14:]}"
    yield from (("email", text) for text in (
        "Write to first.last+lists@mail.sub.tohoku-lab.ac.jp today", "邮箱：zhang.wei@sina.cn。",
        "mailto:Info@Firma-Nord.DE?subject=x", "<o'brien@dublin.ie>", "LENA@FIRM.CO.UK,", "电邮：wangwu＠163.com",
        "联系lisi_88@126.com或电话", "jürgen.müller@köln.de",
    ))  # fmt: skip
    yield from (("phone", text) for text in (
        "tel. 212.555.0187", "+86-10-6275 1234", "+44 (0)20 7946 0958", "021-6512 3456", "0086-21-65123456", "1-800-555-0199",
        "+7 (495) 123-45-67", "+91 98765 43210", "Tel: (415) 555 0132", "电话：010－62751234", "电话(0571)87951234转8012",
        "Fax 030/1234567", "800-810-1234", "+55 (11) 91234-5678", "(0)20 7946 0958", "T: 555-0123 ext 5",
    ))  # fmt: skip
    yield from (("zh_mobile", text) for text in (
        "138 1234 5678", "手机13812345678（微信同号）", "手机：１３８１２３４５６７８", "86-138-1234-5678", "138.1234.5678",
        "(+86)138-1234-5678", "QQ/TEL:19912345678",
    ))  # fmt: skip
    yield from (("zh_id", text) for text in (f"身份证号：{person}", f"id {spaced}", f"（{person}）", f"No.{person.lower()}。"))
    yield from (("bank_card", text) for text in (
        amex, f"{amex[:4]} {amex[4:10]} {amex[10:]}", f"卡号：{union[:6]} {union[6:]}", f"卡号{union}，户名",
        ".".join(visa[at : at + 4] for at in range(0, 16, 4)),
    ))  # fmt: skip
    yield from (
        ("ip", text) for text in ("8.8.4.4:53", "http://45.33.32.156/a?b=1", "from 45.33.32.156/24", "IP:114.247.50.2）")
    )
    yield from (("ipv6", text) for text in ("[2606:4700::1111]:443", "地址2400:3200::1。"))


def _with_card_check(first: str) -> str:
    return _checked(first, "0123456789", is_card)
