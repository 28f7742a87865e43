"""What the report shows of claims.csv."""

import json
from typing import Any

import pandas as pd

SIGNS = {  # beside the words, so that a glance is enough and no colour is needed
    "supported": "\N{CHECK MARK}",
    "refuted": "\N{MULTIPLICATION X}",
    "wrong as stated": "\N{NOT EQUAL TO}",
    "undecided": "\N{ALMOST EQUAL TO}",
    "opinion": "\N{LEFT DOUBLE QUOTATION MARK}",
    "not measured": "\N{WHITE CIRCLE}",
}


def shown(claims: pd.DataFrame) -> dict[str, Any]:
    """The claims as the template wants them: ``rows``, and ``verdicts`` with the claims each one was given to."""
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
                "shown": row["shown"].split(),
            }
        )
    verdicts = [
        {"verdict": verdict, "sign": sign, "kind": verdict.replace(" ", "-"), "claims": given}
        for verdict, sign in SIGNS.items()
        if (given := [row["claim"] for row in rows if row["verdict"] == verdict])
    ]
    return {"rows": rows, "verdicts": verdicts, "commands": list(dict.fromkeys(c for r in rows for c in r["commands"]))}
