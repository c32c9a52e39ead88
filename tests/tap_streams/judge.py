"""What the tap makes of many streams, against their truth: `python tests/tap_streams/judge.py DIR`, as `make tap-judge` does.

Prints one JSON line. Exit status 1 if one paper is reconciled and says anything that is not on it.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tillbox.hardware.tap.reading import Reading, Verdict
from tillbox.hardware.tap.stream import Settings, papers_of

NO_SALE = ("drawer", "status", "kitchen")


def says_the_truth(reading: Reading, truth: dict[str, Any]) -> bool:
    """Everything that the paper shows: a price that is not printed cannot be read, nor one piece that is not counted."""
    sums = (reading.total, reading.discount, reading.tax, reading.number, str(reading.paper))
    if sums != (truth["total"], truth["discount"], truth["tax"], truth["number"], truth["kind"]):
        return False
    if len(reading.items) != len(truth["lines"]):
        return False
    for item, line in zip(reading.items, truth["lines"], strict=True):
        one_piece = line["quantity_milli"] == 1000 and item.quantity_milli is None
        quantity_right = item.quantity_milli == line["quantity_milli"] or one_piece
        price_right = item.price is None or item.price == line["price"]
        rest = (item.name, item.sku, item.amount) == (line["name"], line["sku"], line["amount"])
        if not (quantity_right and price_right and rest):
            return False
    return True


def judge(data: bytes, truth: dict[str, Any], settings: Settings | None = None) -> str:
    """`exact`, `unreconciled`, `no_receipt`, or `WRONG`."""
    papers = papers_of(data, settings)
    if len(papers) != 1:
        return "WRONG"
    reading = papers[0].reading
    if truth["kind"] in NO_SALE:
        return "no_receipt" if reading.verdict is Verdict.NO_RECEIPT and not reading.items else "WRONG"
    if reading.verdict is not Verdict.RECONCILED:
        return "unreconciled"
    return "exact" if says_the_truth(reading, truth) else "WRONG"


def main() -> None:
    """Judge a folder of streams."""
    results: Counter[str] = Counter()
    wrong, taken = [], []
    for path in sorted(Path(sys.argv[1]).rglob("*.bin")):
        truth = json.loads(path.with_suffix(".json").read_text())
        began = time.perf_counter()
        result = judge(path.read_bytes(), truth)
        taken.append((time.perf_counter() - began) * 1_000)
        results[result] += 1
        results[f"{path.parent.name}_{result}"] += 1
        if result == "WRONG":
            wrong.append(str(path))
    taken.sort()
    figures = {
        "streams": len(taken),
        **dict(sorted(results.items())),
        "ms_p50": round(taken[len(taken) // 2], 1),
        "ms_p99": round(taken[len(taken) * 99 // 100], 1),
        "wrong": wrong[:10],
    }
    print(json.dumps(figures))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
