"""How suspicious a line is, by how many failing and passing tests run it.

Each takes four counts: the failing and the passing tests that run the line, and all failing and all
passing tests that were looked at; each answers from 0 to 1. Which one is used, and what the others
would have come to on real fixes, is measured by `python -m tests.bench.repair formulas`.
"""

from collections.abc import Callable, Mapping
from math import sqrt
from typing import Final

Formula = Callable[[int, int, int, int], float]


def ochiai(ef: int, ep: int, failing: int, _passing: int) -> float:
    """`ef / sqrt(F * (ef + ep))` (Abreu et al. 2007)."""
    return ef / sqrt(failing * (ef + ep)) if ef else 0.0


def dstar(ef: int, ep: int, failing: int, _passing: int) -> float:
    """`x / (1 + x)` of D*, `x = ef² / (ep + nf)` (Wong et al. 2014)."""
    against = ep + failing - ef
    return ef**2 / (against + ef**2) if ef else 0.0


def barinel(ef: int, ep: int, _failing: int, _passing: int) -> float:
    """`1 - ep / (ep + ef)`: Barinel for single faults (Abreu et al. 2009), the same as SBI."""
    return ef / (ef + ep) if ef else 0.0


def tarantula(ef: int, ep: int, failing: int, passing: int) -> float:
    """Share of failing tests against the shares of both (Jones and Harrold 2005)."""
    if not ef:
        return 0.0
    return (ef / failing) / (ef / failing + (ep / passing if passing else 0.0))


def op2(ef: int, ep: int, failing: int, passing: int) -> float:
    """`ef - ep / (P + 1)`, optimal for one fault (Naish et al. 2011), over F."""
    return (ef - ep / (passing + 1)) / failing if ef else 0.0


def gp13(ef: int, ep: int, failing: int, _passing: int) -> float:
    """`ef * (1 + 1 / (2 * ep + ef))`, found by genetic programming (Yoo 2012), over F + 1."""
    return ef * (1 + 1 / (2 * ep + ef)) / (failing + 1) if ef else 0.0


def kulczynski2(ef: int, ep: int, failing: int, _passing: int) -> float:
    """Mean of the share of failing tests and of `ef / (ef + ep)` (after Naish et al. 2011)."""
    return (ef / failing + ef / (ef + ep)) / 2 if ef else 0.0


FORMULAS: Final[Mapping[str, Formula]] = {
    "Ochiai": ochiai,
    "D*": dstar,
    "Barinel": barinel,
    "Tarantula": tarantula,
    "Op2": op2,
    "GP13": gp13,
    "Kulczynski2": kulczynski2,
}
