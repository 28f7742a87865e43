"""All 34 claims, and the frame of claims.csv that answers them."""

import json

import pandas as pd

from regatlas.claims import dropout, gaussian, images, overfitting, shrinkage, table  # noqa: F401  they declare the claims
from regatlas.claims.claim import CLAIMS, UNDECIDED, UNMEASURED, Answer, Claim, Lacking, Missing
from regatlas.claims.evidence import Evidence
from regatlas.claims.studies import command
from regatlas.numbers import known, listing
from regatlas.tables import CLAIM_COLUMNS

CATALOGUE = tuple(sorted(CLAIMS, key=lambda claim: claim.number))


def answered(evidence: Evidence) -> pd.DataFrame:
    """Answer every claim; the frame of claims.csv."""
    return pd.DataFrame([row(claim, evidence) for claim in CATALOGUE], columns=CLAIM_COLUMNS)


def row(claim: Claim, evidence: Evidence) -> dict:
    """A claim's row of claims.csv."""
    evidence.lost()
    absent = [study for study in claim.studies if study not in evidence.others and study != evidence.own.name]
    try:
        answer = claim.answer(evidence)
    except Missing:
        runs = f"study {absent[0]} has" if len(absent) == 1 else f"studies {listing(absent)} have"
        answer = Answer(UNMEASURED, f"the {runs} not been run")
    except Lacking as lacking:
        answer = Answer(UNMEASURED, str(lacking))
    lost = evidence.lost()
    measurements = [found for found in answer.measurements if known(found.value)]
    first = measurements[0] if measurements else None
    return {
        "claim": claim.number,
        "says": claim.says,
        "quote": claim.quote,
        "measured": claim.measured,
        "quantity": first.what if first else "",
        "value": first.value if first else None,
        "value_low": first.low if first else None,
        "value_high": first.high if first else None,
        "unit": first.unit if first else "",
        "n": first.n if first else None,
        "verdict": answer.verdict,
        "why": _sentence(answer.why + _alone(answer) + (f" ({listing(lost)})" if lost else "")),
        "studies": " ".join(used for used in (evidence.own.name, *claim.studies) if used not in absent),
        "commands": "; ".join(map(command, absent)),
        "shown": " ".join(claim.shown),
        "measurements": json.dumps([_entry(found) for found in measurements], ensure_ascii=False),
    }


def _alone(answer: Answer) -> str:
    """What is said of a number of one seed that decides nothing."""
    first = answer.measurements[0] if answer.measurements else None
    lonely = first and answer.verdict == UNDECIDED and first.n == 1 and first.of == "seeds" and known(first.value)
    return "; one seed gives no interval" if lonely and not known(first.low) else ""


def _entry(found) -> dict:
    """A measurement as JSON: no NaN."""
    numbers = {name: getattr(found, name) for name in ("value", "low", "high")}
    return {
        "quantity": found.what,
        **{name: float(value) for name, value in numbers.items() if known(value)},
        "n": int(found.n) if found.n else None,
        "of": found.of.removesuffix("s") if found.n == 1 else found.of,
        "unit": found.unit,
        "text": found.text(),
    }


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
