"""Bytes to text: declared, undeclared and wrongly declared encodings."""

from __future__ import annotations

import pytest

from datapipe.sources.charset import declared_in, decode, normalise

TEXTS = {
    "zh": "夜里河水上涨，村里的人还没有发现，木桥就被冲走了。早晨磨坊主人数着水里还剩下多少根柱子。",
    "zh-hant": "夜裡河水上漲，村裡的人還沒有發現，木橋就被沖走了。早晨磨坊主人沿著河岸走，數著水裡還剩下多少根柱子。",
    "ja": "夜のうちに川の水が増えて、村の人が気づく前に木の橋を流してしまった。",
    "ko": "밤사이에 강물이 불어나 마을 사람들이 알아차리기도 전에 나무다리를 쓸어 갔다.",
    "ru": "Ночью река поднялась и унесла деревянный мост раньше, чем кто-либо в деревне это заметил.",
    "uk": "Уночі річка піднялася і знесла дерев'яний міст раніше, ніж хтось у селі це помітив, її води стояли високо.",
    "pl": "W nocy rzeka wezbrała i zabrała drewniany most, zanim ktokolwiek zdążył to zauważyć; młynarz poszedł wzdłuż.",
    "cs": "V noci řeka stoupla a odnesla dřevěný most dříve, než si toho ve vsi kdokoli všiml; mlynář šel podél břehu.",
    "hu": "Éjszaka megáradt a folyó, és elvitte a fahidat, mielőtt bárki észrevette volna; a molnár őrült költő lett.",
    "de": "In der Nacht stieg der Fluss und riss die hölzerne Brücke fort; der Müller zählte die Pfähle.",
    "fr": "Dans la nuit, la rivière a monté et emporté le pont de bois; le préfet répondit à côté.",
    "bg": "През нощта реката придошла и отнесла дървения мост, преди някой в селото да забележи това.",
    "sr": "Током ноћи река је надошла и однела дрвени мост пре него што је ико у селу то приметио, чак ни млинар.",
    "hr": "Noću je rijeka narasla i odnijela drveni most prije nego što je itko u selu to primijetio; žito čeka na obali.",
    "sl": "Ponoči je reka narasla in odnesla leseni most, še preden je kdo v vasi to opazil; mlinar je štel stebre čez dan.",
    "ro": "În timpul nopţii râul a crescut şi a luat podul de lemn înainte ca cineva din sat să observe; a numărat stâlpii.",
    "sv": "Under natten steg ån och förde bort träbron innan någon i byn hade märkt det; mjölnaren räknade pålarna.",
    "da": "Om natten steg åen og førte træbroen bort, før nogen i byen havde bemærket det; mølleren talte pælene.",
    "es": "Por la noche el río creció y se llevó el puente de madera; ¿quién contó los pilares el año después?",
    "it": "Durante la notte il fiume è cresciuto e ha portato via il ponte; contò i pali perché nessuno più lo farà.",
    "pt": "Durante a noite o rio subiu e levou a ponte antes que alguém na aldeia notasse; não contou as estacas à mão.",
    "ca": "Durant la nit el riu va créixer i s’endugué el pont abans que ningú al poble ho notés; comptà els pals així.",
    "nl": "’s Nachts steeg de rivier en nam de houten brug mee; hij telde één voor één de palen, geïrriteerd.",
}
ENCODINGS = [
    ("zh", "gb18030"), ("zh", "gbk"), ("zh-hant", "big5"), ("ja", "shift_jis"), ("ja", "euc_jp"), ("ja", "iso2022_jp"),
    ("ko", "euc_kr"),
    ("ru", "cp1251"), ("ru", "koi8_r"), ("ru", "iso8859_5"), ("uk", "cp1251"), ("uk", "koi8_u"),
    ("pl", "cp1250"), ("pl", "iso8859_2"),
    ("cs", "cp1250"), ("cs", "iso8859_2"), ("hu", "cp1250"), ("hu", "iso8859_2"), ("de", "cp1252"), ("de", "latin_1"),
    ("fr", "cp1252"), ("fr", "iso8859_15"),
    ("zh", "gb2312"), ("zh-hant", "big5hkscs"), ("bg", "cp1251"), ("bg", "iso8859_5"), ("sr", "cp1251"), ("sr", "iso8859_5"),
    ("hr", "cp1250"), ("hr", "iso8859_2"), ("sl", "cp1250"), ("sl", "iso8859_2"), ("ro", "cp1250"), ("ro", "iso8859_2"),
    ("sv", "cp1252"), ("da", "cp1252"), ("es", "latin_1"), ("it", "cp1252"), ("pt", "latin_1"), ("ca", "cp1252"),
    ("nl", "cp1252"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "encoding"), ENCODINGS)
def test_an_undeclared_encoding_is_found_from_the_bytes(language: str, encoding: str) -> None:
    assert decode(TEXTS[language].encode(encoding)).text == TEXTS[language]


@pytest.mark.parametrize(("language", "encoding"), ENCODINGS)
@pytest.mark.parametrize("wrong", ["utf-8", "windows-1252", "gb2312", "big5", "shift_jis", "euc-jp", "no-such-charset"])
def test_a_wrong_declaration_does_no_harm_to_text_it_cannot_be(language: str, encoding: str, wrong: str) -> None:
    if wrong == "windows-1252" and encoding in ("cp1250", "iso8859_2", "iso8859_15"):
        return  # these bytes are windows-1252 text too, so the page is believed
    assert decode(TEXTS[language].encode(encoding), [wrong]).text == TEXTS[language]


@pytest.mark.parametrize("wrong", ["gb2312", "shift_jis", "windows-1251", "iso-8859-1"])
def test_valid_utf8_is_utf8_whatever_is_declared(wrong: str) -> None:
    made = decode(TEXTS["zh"].encode(), [wrong])
    assert (made.text, made.encoding) == (TEXTS["zh"], "utf-8")


def test_labels_mean_what_browsers_take_them_to_mean() -> None:
    assert [normalise(label) for label in ("GB2312", "iso-8859-1", "Shift_JIS", "euc-kr", " Big5 ", "base64", "x")] == [
        "gb18030", "cp1252", "cp932", "cp949", "big5hkscs", None, None,
    ]  # fmt: skip


def test_a_character_of_gbk_in_a_page_declared_gb2312_is_read() -> None:
    text = TEXTS["zh"] + "朱镕基、喆"
    assert decode(text.encode("gbk"), ["gb2312"]).text == text


def test_a_stray_byte_in_utf8_is_read_as_the_character_it_once_was() -> None:
    broken = TEXTS["de"].encode() + b" caf\xe9 und weiter"
    assert decode(broken, ["utf-8"]).text.endswith("café und weiter")


def test_chinese_stored_as_utf8_of_latin1_is_undone() -> None:
    twice = TEXTS["zh"].encode("gb18030").decode("latin-1").encode("utf-8")
    assert decode(twice, ["gb2312"]).text == TEXTS["zh"]


def test_byte_order_marks_win() -> None:
    assert decode(TEXTS["ru"].encode("utf-16"), ["windows-1251"]).text == TEXTS["ru"]
    assert decode(b"\xef\xbb\xbf" + b"plain", ["gbk"]).text == "plain"


def test_utf16_without_a_mark_is_seen() -> None:
    assert decode("A plain sentence in English.".encode("utf-16-le")).text == "A plain sentence in English."


def test_pages_declare_in_meta_http_equiv_and_xml() -> None:
    assert declared_in(b'<meta charset="gbk">') == ["gbk"]
    assert declared_in(b'<META http-equiv="Content-Type" content="text/html; charset=Big5">') == ["Big5"]
    assert declared_in(b'<?xml version="1.0" encoding="EUC-JP"?><html>') == ["EUC-JP"]
