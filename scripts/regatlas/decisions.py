"""What may be said of a method against the baseline: equivalence, the chance of being better, and a decision."""

from collections.abc import Mapping

import numpy as np
from scipy import special

from regatlas.resampling import seeds_needed
from regatlas.statistics import NAN, Interval, standard_error, tell_spread, vary

BETTER, WORSE, EQUIVALENT, UNDECIDED = "better", "worse", "equivalent", "undecided"
SIGNS = {  # beside the words, on every page the same
    BETTER: "\N{BLACK UP-POINTING TRIANGLE}",
    WORSE: "\N{BLACK DOWN-POINTING TRIANGLE}",
    EQUIVALENT: "=",
    UNDECIDED: "?",
}


def equivalence(differences: np.ndarray, margin: float) -> float:
    """The p-value of the paired test that the mean difference is not within ``margin`` of zero.

    NaN for values that do not tell their spread: fewer than two, or two equal ones. Two zeros prove nothing either, as
    equal accuracies can come from different predictions; if the predictions are known to be equal, no test is needed.

    Two one-sided t-tests, the larger p of both: Schuirmann 1987, "A comparison of the two one-sided tests procedure
    and the power approach", Journal of Pharmacokinetics and Biopharmaceutics 15(6).
    """
    if not tell_spread(differences):
        return NAN
    mean = float(np.mean(differences))
    if not vary(differences):
        return float(abs(mean) >= margin)
    error, freedom = standard_error(differences), len(differences) - 1
    return float(max(special.stdtr(freedom, (sign * mean - margin) / error) for sign in (-1, 1)))


def probability_better(differences: np.ndarray, level: float = 0.95) -> Interval:
    """The probability that a method beats the baseline with a new seed: the share of seeds, ties counting half.

    With the interval of Wilson 1927, "Probable inference", JASA 22. No seed: all NaN.
    """
    n = len(differences)
    if not n:
        return Interval()
    share = float(np.mean((differences > 0) + 0.5 * (differences == 0)))
    z2 = float(special.ndtri((1 + level) / 2)) ** 2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2) / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2))
    return Interval(share, float(max(middle - half, 0.0)), float(min(middle + half, 1.0)))


def decide(row: Mapping[str, float], level: float = 0.95) -> str:
    """better, worse, equivalent or undecided, from a row's ``difference_simultaneous_low`` and ``_high``,
    ``p_adjusted`` and ``p_equivalent``.

    better or worse: the simultaneous interval excludes zero and the adjusted p-value is below 1 - level. Else
    equivalent, if the equivalence test rejects at the same level, without adjustment for several methods.
    """
    alpha = 1 - level
    low, high = row["difference_simultaneous_low"], row["difference_simultaneous_high"]
    if row["p_adjusted"] < alpha and (low > 0 or high < 0):
        return BETTER if low > 0 else WORSE
    return EQUIVALENT if row["p_equivalent"] < alpha else UNDECIDED


def undecidable(seeds: int, level: float = 0.95) -> str:
    """What so few seeds, common to a method and the baseline, cannot decide; '' if they are enough."""
    needed = seeds_needed(level)
    if seeds >= needed:
        return ""
    least = f"{2.0 ** (1 - seeds):.3g}"
    are, of = ("is", "1 seed") if seeds == 1 else ("are", f"{seeds} seeds")
    smallest = f", so {least} is the smallest p-value that a sign-flip test of {of} can give" if seeds else ""
    return f"better or worse: that needs {needed} seeds in common with the baseline, and there {are} {seeds}{smallest}"
