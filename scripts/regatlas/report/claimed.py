"""What the report shows of claims.csv."""

import json
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

import pandas as pd

from regatlas import decisions
from regatlas.claims import studies
from regatlas.numbers import setting

SIGNS = {  # beside the words, so that a glance is enough and no colour is needed
    "supported": "\N{CHECK MARK}",
    "refuted": "\N{MULTIPLICATION X}",
    "wrong as stated": "\N{NOT EQUAL TO}",
    "undecided": decisions.SIGNS[decisions.UNDECIDED],
    "opinion": "\N{LEFT DOUBLE QUOTATION MARK}",
    "not measured": "\N{WHITE CIRCLE}",
}
_PLACES = {
    "figure-accuracy": "the accuracy of every seed",
    "figure-data_sizes": "accuracy against training images",
    "figure-learning_curves": "the learning curves",
    "figure-runtime": "the runtimes",
    "figure-strength_paths": "the paths of the tuned settings",
    "figure-weight_distribution": "the distribution of the weights",
    "figure-weights_own_scale_mean": "the mean weight images",
    "figure-weights_own_scale_one_seed": "the weight images of one seed",
    "comparison": "the comparison",
    "methods": "what each method does",
    "weights": "the weights",
    "calibration": "the calibration",
    "published": "published values",
    "disagreements": "where the post disagrees with itself",
    "how": "how it was made",
}


def shown(claims: pd.DataFrame, here: Collection[str] = (), reports: Collection[str] = ()) -> dict[str, Any]:
    """The claims as the template wants them: ``rows``, and ``verdicts`` with the claims each one was given to.

    Args:
        claims: the frame of claims.csv.
        here: the ids of the page's sections and figures.
        reports: the studies beside this one that have a report.
    """
    rows = []
    for row in claims.to_dict("records"):
        measurements = json.loads(row["measurements"])
        commands = [command for command in row["commands"].split("; ") if command]
        rows.append(
            {
                **row,
                "sign": SIGNS.get(row["verdict"], ""),
                "kind": row["verdict"].replace(" ", "-"),
                "first": measurements[0] if measurements else None,
                "others": measurements[1:],
                "commands": commands,
                "links": _links(row, here, reports) if row["verdict"] != "not measured" else [],
            }
        )
    verdicts = [
        {"verdict": verdict, "sign": sign, "kind": verdict.replace(" ", "-"), "claims": given}
        for verdict, sign in SIGNS.items()
        if (given := [row["claim"] for row in rows if row["verdict"] == verdict])
    ]
    return {"rows": rows, "verdicts": verdicts, "commands": list(dict.fromkeys(c for r in rows for c in r["commands"]))}


def departures(config: Mapping[str, Any]) -> list[str]:
    """Where a study's resolved config is not the post's: 'steps 2,000 instead of 150,000', ..."""
    return [
        f"{section if key == 'name' else key} {setting(found)} instead of {setting(value)}"
        for section, settings in studies.POSTS.items()
        for key, value in settings.items()
        if (found := config.get(section, {}).get(key, value)) != value
    ]


def _links(row: dict[str, Any], here: Collection[str], reports: Collection[str]) -> list[tuple[str, str]]:
    """Address and text of the best place on this page that shows a claim, and of those in other studies' reports."""
    own, others = [], []
    for place in row["shown"].split():
        study, found, name = place.rpartition("#")
        text = _PLACES.get(name, name)
        if found and study in reports and study in row["studies"].split():
            others.append((f"../{quote(study)}/report.html#{quote(name)}", f"{text} of the study {study}"))
        elif not found and name in here:
            own.append((f"#{name}", text))
    return own[:1] + others
