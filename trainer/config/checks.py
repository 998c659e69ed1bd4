"""The checks that several sections share."""

from __future__ import annotations

from core.config import ConfigError


def divisors(number: int) -> str:
    """The divisors of a number, as the tail of an error message: '1, 2, 4 or 8'."""
    found = [str(d) for d in range(1, number + 1) if number % d == 0]
    shown = found if len(found) <= 8 else [*found[:7], found[-1]]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def at_least(name: str, value: float, least: float) -> None:
    """Refuses a value below `least`, naming the key."""
    if value < least:
        raise ConfigError(f"{name} = {value} is too small; use {least} or more.")


def within(name: str, value: float, low: float, high: float) -> None:
    """Refuses a value outside [low, high], naming the key."""
    if not low <= value <= high:
        raise ConfigError(f"{name} = {value} is out of range; use a value from {low} to {high}.")
