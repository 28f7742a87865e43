"""What a claim is, and what an answer to it: a verdict, measurements, and a sentence."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from regatlas.numbers import known, number
from regatlas.statistics import NAN, Interval, t_interval

if TYPE_CHECKING:
    from regatlas.claims.evidence import Evidence

SUPPORTED, REFUTED, UNDECIDED = "supported", "refuted", "undecided"
WRONG = "wrong as stated"  # by the code or by algebra, whatever is measured
OPINION = "opinion"  # no number can decide it
UNMEASURED = "not measured"  # runs are lacking
VERDICTS = (SUPPORTED, REFUTED, UNDECIDED, WRONG, OPINION, UNMEASURED)

POINTS, PERCENT, TIMES, MICROSECONDS, IMAGES, COUNT = "points", "%", "times", "µs", "images", "count"
# By how much the time of a step over none's may be off that was taken while others trained: the default study's are up
# to 14 % from those of benchmarks/, taken in turns on a quiet machine. Intervals over seeds do not show it: all seeds
# of a method train in one process, beside the same others.
SIDE_BY_SIDE = 1.25
_FORMS = {POINTS: "+.2f", PERCENT: ".2f", TIMES: ".2f", MICROSECONDS: ".1f", IMAGES: ",.0f", COUNT: ",.0f"}


class Lacking(Exception):
    """A run that a claim needs is not there; the message says which."""


class Missing(Lacking):
    """A study that a claim needs has not been run."""


@dataclasses.dataclass(frozen=True)
class Measurement:
    """A number with its 95 % interval.

    Attributes:
        n: how many seeds, runs or whatever ``of`` says it is made of.
        unit: one of the above, or "of 5" of a count among five.
        size: whether it is a spread or a range, which has no sign.
    """

    what: str
    value: float
    low: float = NAN
    high: float = NAN
    n: int | None = None
    unit: str = ""
    of: str = "seeds"
    size: bool = False

    @property
    def interval(self) -> Interval:
        return Interval(self.value, self.low, self.high)

    def __format__(self, form: str) -> str:
        """The number alone, in this format."""
        return number(self.value, form)

    def text(self) -> str:
        """The number with its interval and unit: '-3.96 [-4.10, -3.83] points'."""
        form = _FORMS.get(COUNT if self.unit.startswith("of ") else self.unit) or (
            ".3f" if not known(self.value) or abs(self.value) < 10 else ".1f"
        )
        form = form.removeprefix("+") if self.size else form
        parts = [number(self.value, form)]
        if known(self.low) and known(self.high):
            parts.append(f"[{number(self.low, form)}, {number(self.high, form)}]")
        return " ".join([*parts, *([self.unit] if self.unit not in ("", COUNT) else [])])


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the runs say to a claim. ``why`` is one sentence; the first measurement is the one that decides."""

    verdict: str
    why: str
    measurements: tuple[Measurement, ...] = ()


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim of the post.

    Attributes:
        number: from 1, in the post's order.
        says: who or what the quote is about, to be read before it.
        quote: the post's words.
        measured: the statistic and the test that decide.
        shown: ids of the report's sections and figures that show it, the best one first; in another study's report
            behind the study's name and "#".
        studies: those whose runs are used beside the post's own.
        answer: what answers it; raises Lacking if runs are not there.
    """

    number: int
    says: str
    quote: str
    measured: str
    shown: tuple[str, ...]
    studies: tuple[str, ...]
    answer: Callable[["Evidence"], Answer]


CLAIMS: list[Claim] = []  # in no order; regatlas.claims.catalogue sorts them


def claim(
    number: int, says: str, quote: str, measured: str, shown: str, studies: str = ""
) -> Callable[[Callable[["Evidence"], Answer]], Callable[["Evidence"], Answer]]:
    """Declare the decorated function as the answer to a claim; ``shown`` and ``studies`` are words with spaces."""

    def declare(answer: Callable[["Evidence"], Answer]) -> Callable[["Evidence"], Answer]:
        CLAIMS.append(Claim(number, says, quote, measured, tuple(shown.split()), tuple(studies.split()), answer))
        return answer

    return declare


def mean(what: str, values, unit: str = "", scale: float = 1, of: str = "seeds") -> Measurement:
    """The mean of values, one a seed, with its t interval.

    Raises:
        Lacking: there is none.
    """
    values = np.asarray(list(values), dtype=np.float64) * scale
    if not np.isfinite(values).any():
        raise Lacking(f"no run has a value of this: {what}")
    return Measurement(what, *t_interval(values), int(np.isfinite(values).sum()), unit, of)


# Rules. An interval that is not there (NaN) decides nothing.


def above(found: Interval | Measurement, bound: float = 0.0) -> str:
    """Supported if the whole interval is above the bound, refuted if it is below."""
    return SUPPORTED if found.low > bound else REFUTED if found.high < bound else UNDECIDED


def below(found: Interval | Measurement, bound: float = 0.0) -> str:
    """Supported if the whole interval is below the bound, refuted if it is above."""
    return SUPPORTED if found.high < bound else REFUTED if found.low > bound else UNDECIDED


def within(found: Interval | Measurement, margin: float) -> str:
    """Supported if the whole interval lies within the margin of 0, refuted if it lies outside."""
    if -margin < found.low and found.high < margin:
        return SUPPORTED
    return REFUTED if found.low > margin or found.high < -margin else UNDECIDED


def every(*verdicts: str) -> str:
    """Supported if all are, refuted if one is."""
    return REFUTED if REFUTED in verdicts else UNDECIDED if UNDECIDED in verdicts else SUPPORTED


def agree(*verdicts: str) -> str:
    """What all verdicts say; undecided if they differ."""
    return verdicts[0] if len(set(verdicts)) == 1 else UNDECIDED


def say(verdict: str, supported: str, refuted: str, undecided: str) -> str:
    """The words for a verdict."""
    return {SUPPORTED: supported, REFUTED: refuted}.get(verdict, undecided)
