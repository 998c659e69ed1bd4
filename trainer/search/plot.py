"""Curves as an SVG file that any browser shows: the report's Figure 1, loss and gradient norm by combination."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from trainer.search.judge import Outcome
from trainer.search.trials import Row

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 420, 300, 60, 40, 30
_COLOURS = ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#aa3377", "#999999", "#ee7733", "#332288", "#117733", "#88ccee")
_CHOSEN = "#dd0000"

Points = Sequence[tuple[float, float]]


def curves(outcomes: Sequence[Outcome], rows: Mapping[str, Sequence[Row]], window: int) -> str:
    """Two panels over the tokens: mean loss and mean gradient norm of each window of steps; the choice is red, on top."""
    names = {one.name: _label(one) for one in outcomes}
    losses = {name: _means([(row.tokens, row.loss) for row in rows[name]], window) for name in names}
    norms = {name: _means([(row.tokens, row.norm) for row in rows[name]], window) for name in names}
    return figure(
        [("loss, nats a token", losses), ("gradient norm", norms)], names, outcomes[0].name, logarithmic=(False, True)
    )


def figure(
    panels: Sequence[tuple[str, Mapping[str, Points]]],
    labels: Mapping[str, str],
    chosen: str | None,
    x_name: str = "tokens",
    logarithmic: Sequence[bool] = (),
    log_x: bool = False,
) -> str:
    """Panels side by side, with one legend below: each a title and its curves by name."""
    colours = {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(n for n in labels if n != chosen)}
    if chosen is not None:
        colours[chosen] = _CHOSEN
    order = [*(name for name in labels if name != chosen), *([chosen] if chosen is not None else [])]
    drawn = []
    for place, (title, lines) in enumerate(panels):
        log_y = place < len(logarithmic) and logarithmic[place]
        kept = {name: _finite(lines[name], log_x, log_y) for name in order if name in lines}
        drawn.append(_panel(place * _WIDTH, title, x_name, kept, colours, log_x, log_y))
    height = _HEIGHT + 16 * len(order) + 10
    legend = [
        f'<text x="{_LEFT + 24}" y="{_HEIGHT + 16 * n + 4}">{escape(labels[name])}</text>'
        f'<path d="M{_LEFT} {_HEIGHT + 16 * n}h18" stroke="{colours[name]}" stroke-width="2"/>'
        for n, name in enumerate(reversed(order))
    ]
    size = f'width="{_WIDTH * len(panels)}" height="{height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(drawn)}{"".join(legend)}</svg>\n'
    )


def _panel(
    left: int, title: str, x_name: str, lines: Mapping[str, Points], colours: Mapping[str, str], log_x: bool, log_y: bool
) -> str:
    every = [point for points in lines.values() for point in points]
    if not every:
        return f'<text x="{left + _LEFT}" y="{_TOP}">{escape(title)}: no values</text>'
    x = _Scale([p[0] for p in every], left + _LEFT, left + _WIDTH - 15, log_x)
    y = _Scale([p[1] for p in every], _HEIGHT - _BOTTOM, _TOP, log_y)
    made = [f'<text x="{left + _LEFT}" y="{_TOP - 12}" font-weight="bold">{escape(title)}</text>']
    for value in y.ticks():
        made.append(f'<path d="M{left + _LEFT} {y(value):.1f}h{_WIDTH - _LEFT - 15}" stroke="#dddddd"/>')
        made.append(f'<text x="{left + _LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.4g}</text>')
    for value in x.ticks():
        made.append(f'<text x="{x(value):.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{value:.3g}</text>')
    made.append(f'<text x="{left + _WIDTH - 15}" y="{_HEIGHT - 8}" text-anchor="end">{escape(x_name)}</text>')
    for name, points in lines.items():
        path = "L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in points)
        made.append(f'<path d="M{path}" fill="none" stroke="{colours[name]}" stroke-width="1.6"/>' if points else "")
    return "".join(made)


class _Scale:
    """From values to places on the page, straight or by logarithm."""

    def __init__(self, values: Sequence[float], begin: float, end: float, logarithmic: bool) -> None:
        self.log = logarithmic
        low, high = min(map(self._of, values)), max(map(self._of, values))
        air = (high - low) * 0.03 or 0.5
        self.low, self.high, self.begin, self.end = low - air, high + air, begin, end

    def _of(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def __call__(self, value: float) -> float:
        return self.begin + (self._of(value) - self.low) / (self.high - self.low) * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """About five round values; by logarithm 1, 2 and 5 times powers of ten."""
        if self.log:
            exponents = range(math.floor(self.low), math.ceil(self.high) + 1)
            every = [factor * 10.0**power for power in exponents for factor in (1, 2, 5)]
            found = [value for value in every if self.low <= self._of(value) <= self.high]
            return found[:: max(1, len(found) // 6)]
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
        return [n * step for n in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]


def _label(one: Outcome) -> str:
    return (
        ", ".join(f"{name} {value:.3g}" for name, value in one.combination.values().items()) + f": loss {one.figures.loss:.4f}"
    )


def _means(points: Points, window: int) -> list[tuple[float, float]]:
    """Window by window: the mean place and the mean value."""
    parts = [points[start : start + window] for start in range(0, len(points), window)]
    return [(sum(p[0] for p in part) / len(part), sum(p[1] for p in part) / len(part)) for part in parts]


def _finite(points: Points, log_x: bool, log_y: bool) -> list[tuple[float, float]]:
    def good(value: float, positive: bool) -> bool:
        return math.isfinite(value) and (value > 0 or not positive)

    return [(a, b) for a, b in points if good(a, log_x) and good(b, log_y)]
