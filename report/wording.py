"""Numbers and times as a reader wants them."""

from __future__ import annotations


def number(value: float | None) -> str:
    """1,234,567; a fraction keeps four significant digits; a dash for what is not known."""
    if value is None:
        return "–"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def compact(value: float | None) -> str:
    """1,234 as it is; 12.3 k, 4.56 M, 2.00 T above."""
    if value is None:
        return "–"
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            unit = 1e3 if letter == "k" else size
            return f"{value / unit:.3g} {letter}"
    return number(value)


def size(value: float | None) -> str:
    """Bytes in powers of 1000, as disks are sold and Table 1 is printed."""
    if value is None:
        return "–"
    for unit, letter in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(value) >= unit:
            return f"{value / unit:.3g} {letter}" if value / unit < 999.5 else f"{value / unit:.0f} {letter}"
    return f"{value:.0f} B"


def duration(seconds: float | None) -> str:
    """0.4 s, 59 s, 2 min 05 s, 3 h 07 min, 12 d 4 h."""
    if seconds is None:
        return "–"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def percent(part: float | None, whole: float | None, digits: int = 1) -> str:
    """A share in percent; a dash where there is no whole."""
    if part is None or not whole:
        return "–"
    return f"{100 * part / whole:.{digits}f} %"
