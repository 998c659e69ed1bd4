"""Loss against size: L(N) = a N^b + c by non-linear least squares, as nanoLM fits it over muP widths, with an interval.

N is the number of parameters in millions. For a given b the other two follow by linear least squares, so b alone is sought,
over a wide range: the fit does not depend on a start (nanoLM's is (1, -1, 3), and leads to the same curve where it converges).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import t as student

_RANGE = (-4.0, -0.01)


@dataclass(frozen=True)
class Fit:
    """a, b, c; covariance [3, 3] of their errors, None where there are no more points than parameters; noise: the standard
    deviation of a run around the curve; freedom: points beyond the three parameters."""

    a: float
    b: float
    c: float
    noise: float
    freedom: int
    covariance: np.ndarray | None

    def loss(self, size: float) -> float:
        """The loss foretold at a size."""
        return float(self.a * size**self.b + self.c)

    def half_width(self, size: float, share: float = 0.95) -> float | None:
        """Half the interval that holds a run of that size in so many cases: the curve's own error by the delta method, and a
        run's noise around it. None where the points leave no freedom to tell."""
        if self.covariance is None:
            return None
        gradient = _gradient(np.array([size]), self.a, self.b)[0]
        variance = float(gradient @ self.covariance @ gradient) + self.noise**2
        return float(student.ppf(0.5 + share / 2, self.freedom) * variance**0.5)


def fit(sizes: Sequence[float], losses: Sequence[float]) -> Fit:
    """The curve through runs of several sizes (in millions of parameters); a size may come more than once, with other seeds.

    Raises ValueError for fewer than three sizes.
    """
    x, y = np.asarray(sizes, np.float64), np.asarray(losses, np.float64)
    if len(set(x.tolist())) < 3:
        raise ValueError(f"a curve of three parameters needs three sizes at least, these are {len(set(x.tolist()))}")

    def rest(b: float) -> float:
        return float(_for_exponents(x, y, np.array([b]))[2][0])

    grid = np.linspace(*_RANGE, 400)
    place = int(np.argmin(_for_exponents(x, y, grid)[2]))
    near, bounds = float(grid[place]), (float(grid[max(0, place - 1)]), float(grid[min(len(grid) - 1, place + 1)]))
    found = minimize_scalar(rest, bounds=bounds, method="bounded", options={"xatol": 1e-9})
    b = float(found.x) if found.fun <= rest(near) else near
    a, c, squares = (float(value[0]) for value in _for_exponents(x, y, np.array([b])))
    freedom = len(x) - 3
    if freedom < 1:
        return Fit(a, b, c, 0.0, 0, None)
    noise = (squares / freedom) ** 0.5
    gradient = _gradient(x, a, b)
    return Fit(a, b, c, noise, freedom, np.linalg.pinv(gradient.T @ gradient) * noise**2)


def _for_exponents(x: np.ndarray, y: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """a, c and the sum of squares that are left, for each of several exponents."""
    powers = x[None, :] ** b[:, None]
    around, level = powers - powers.mean(1, keepdims=True), y - y.mean()
    a = (around @ level) / np.square(around).sum(1)
    c = y.mean() - a * powers.mean(1)
    return a, c, np.square(y - a[:, None] * powers - c[:, None]).sum(1)


def _gradient(x: np.ndarray, a: float, b: float) -> np.ndarray:
    """The curve's derivatives by a, b, c at each size [n, 3]."""
    return np.stack((x**b, a * x**b * np.log(x), np.ones_like(x)), 1)
