"""Line charts as geometry: what the page's template needs to draw curves with plain SVG and HTML labels.

The drawing stretches with the page while its labels, being HTML, keep their size: readable on a phone as on a screen. A log
of hundreds of thousands of steps is cut to a few hundred points, each the mean of its neighbours, with a band from the
lowest to the highest of them, so that a single spike stays visible.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

POINTS = 360
SIZE = 1000.0


@dataclass(frozen=True)
class Point:
    """One place of a curve: the mean over its bucket, and the bucket's extremes."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Series:
    """A named curve, in order of x."""

    name: str
    points: list[Point]


@dataclass(frozen=True)
class Tick:
    """A label and where it stands, in percent from the left or from the bottom."""

    at: float
    label: str


@dataclass(frozen=True)
class Curve:
    """A curve ready to draw: SVG paths in a square of 1000, and its values for the pointer's read-out."""

    name: str
    line: str
    band: str
    values: list[tuple[float, float]]
    first: float
    last: float


@dataclass(frozen=True)
class Chart:
    """A drawing: its curves, ticks and labels. `empty` says why there is nothing to see."""

    title: str
    unit: str
    x_name: str
    curves: list[Curve] = field(default_factory=list)
    x_ticks: list[Tick] = field(default_factory=list)
    y_ticks: list[Tick] = field(default_factory=list)
    x_range: tuple[float, float] = (0.0, 1.0)
    marks: list[float] = field(default_factory=list)
    """Where vertical lines stand, from the left in a square of 1000."""

    @property
    def empty(self) -> bool:
        return not self.curves

    @property
    def pointer(self) -> list[dict[str, object]]:
        """The values that the read-out under the pointer shows."""
        return [{"name": curve.name, "values": curve.values} for curve in self.curves]


def series(name: str, values: Sequence[tuple[float, float]], points: int = POINTS) -> Series:
    """A curve of at most `points` places from (x, y) pairs; what is not finite is left out."""
    finite = sorted((x, y) for x, y in values if math.isfinite(x) and math.isfinite(y))
    width = max(1, math.ceil(len(finite) / points))
    buckets = [finite[start : start + width] for start in range(0, len(finite), width)]
    return Series(name, [_bucket(bucket) for bucket in buckets])


def _bucket(pairs: Sequence[tuple[float, float]]) -> Point:
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    return Point(sum(xs) / len(xs), sum(ys) / len(ys), min(ys), max(ys))


def chart(
    title: str,
    unit: str,
    lines: Sequence[Series],
    x_name: str = "step",
    logarithmic: bool = False,
    y_range: tuple[float, float] | None = None,
    marks: Sequence[float] = (),
) -> Chart:
    """Lays curves into one drawing. With `logarithmic`, values at or below zero are left out.

    `y_range` fixes the axis, so that several drawings can be compared by eye. `marks` are places on the x axis; those that the
    curves do not reach are left out.
    """
    kept = [Series(one.name, [p for p in one.points if not logarithmic or p.low > 0]) for one in lines]
    kept = [one for one in kept if one.points]
    if not kept:
        return Chart(title, unit, x_name)
    every = [point for one in kept for point in one.points]
    left, right = _widen(min(p.x for p in every), max(p.x for p in every))
    low, high = y_range or _padded(min(p.low for p in every), max(p.high for p in every), logarithmic)
    y_ticks = _powers(low, high) if logarithmic else _steps(low, high, 5)

    def place_y(value: float) -> float:
        share = math.log(value / low) / math.log(high / low) if logarithmic else (value - low) / (high - low)
        return SIZE * (1 - min(1.0, max(0.0, share)))

    def place_x(value: float) -> float:
        return SIZE * (value - left) / (right - left)

    curves = []
    for one in kept:
        upper = [(place_x(p.x), place_y(p.high)) for p in one.points]
        lower = [(place_x(p.x), place_y(p.low)) for p in reversed(one.points)]
        banded = any(p.high > p.low for p in one.points)
        curves.append(
            Curve(
                name=one.name,
                line=_path([(place_x(p.x), place_y(p.y)) for p in one.points]),
                band=_path(upper + lower) + "Z" if banded else "",
                values=[(round(p.x, 3), float(f"{p.y:.5g}")) for p in one.points],
                first=one.points[0].y,
                last=one.points[-1].y,
            )
        )
    return Chart(
        title=title,
        unit=unit,
        x_name=x_name,
        curves=curves,
        x_ticks=[Tick(place_x(v) / SIZE * 100, short(v)) for v in _steps(left, right, 5)],
        y_ticks=[Tick(100 - place_y(v) / SIZE * 100, short(v)) for v in y_ticks],
        x_range=(left, right),
        marks=[place_x(value) for value in marks if left <= value <= right],
    )


def value_range(lines: Sequence[Series]) -> tuple[float, float] | None:
    """The range of y that holds all the curves, with a little air; None where there are none."""
    every = [point for one in lines for point in one.points]
    return _padded(min(p.low for p in every), max(p.high for p in every), False) if every else None


def short(value: float) -> str:
    """A tick's label: 1.2k, 40k, 3M, 0.05, 1e-05."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:.4g}"


def _path(places: Sequence[tuple[float, float]]) -> str:
    if len(places) == 1:  # a single place is drawn as a short dash, or nothing would be seen
        (x, y), dash = places[0], 4.0
        places = [(max(0.0, x - dash), y), (min(SIZE, x + dash), y)]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def _widen(low: float, high: float) -> tuple[float, float]:
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _padded(low: float, high: float, logarithmic: bool) -> tuple[float, float]:
    if logarithmic:
        return (low / 1.15, high * 1.15) if high > low else (low / 2, high * 2)
    low, high = _widen(low, high)
    air = (high - low) * 0.06
    return (max(0.0, low - air) if low >= 0 else low - air), high + air


def _steps(low: float, high: float, about: int) -> list[float]:
    """Round values between low and high: multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{n * step:.10g}") for n in range(first, last + 1)]


def _powers(low: float, high: float) -> list[float]:
    """Values 1, 2, 5 times powers of ten; only the powers where the range is wide."""
    wide = high / low > 200
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [factor * 10.0**exponent for exponent in exponents for factor in ((1,) if wide else (1, 2, 5))]
    return [float(f"{v:.10g}") for v in values if low <= v <= high]
