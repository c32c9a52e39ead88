"""Makes streams of all four generators, with their truth: `generate.py --seeds 1000 --out DIR`, or `--golden`.

Each generator runs once and prints many papers: JSON lines in, base64 lines out. Every seed goes to every generator.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paper import paper
from receipts import KINDS, LANGUAGES, LAYOUTS, SALE, WIDTHS_MM, Receipt, receipt

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden/tap"
GENERATORS = {
    "python-escpos": [str(HERE / ".venv/bin/python"), str(HERE / "by_python_escpos.py")],
    "receiptline": ["node", str(HERE / "by_receiptline.mjs")],
    "receipt-printer-encoder": ["node", str(HERE / "by_receipt_printer_encoder.mjs")],
    "node-thermal-printer": ["node", str(HERE / "by_node_thermal_printer.mjs")],
}
RECEIPTS_EACH = 3  # golden receipts of one generator, language and width, each of another layout


@dataclass(frozen=True, slots=True)
class Wanted:
    """One stream: where it goes and what it says."""

    generator: str
    name: str
    receipt: Receipt


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many receipts")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--out", type=Path, help="where to put them: GENERATOR/SEED.bin and .json")
    parser.add_argument("--generators", nargs="+", choices=GENERATORS, default=list(GENERATORS))
    parser.add_argument(
        "--golden", action="store_true", help=f"regenerate {GOLDEN.relative_to(HERE.parents[1])}"
    )
    asked = parser.parse_args()
    if asked.golden == (asked.out is not None):
        parser.error("say either --golden or --out DIR")
    seeds = range(asked.first, asked.first + asked.seeds)
    for generator in asked.generators:
        wanted = list(golden(generator)) if asked.golden else many(generator, seeds)
        count = size = 0
        for one, data in zip(wanted, printed(generator, [one.receipt for one in wanted]), strict=True):
            _write(GOLDEN if asked.golden else asked.out, one, data)
            count, size = count + 1, size + len(data)
        print(f"{generator:<24} {count:>6} streams {size:>10} bytes")


def many(generator: str, seeds: range) -> list[Wanted]:
    """One stream for each seed, everything drawn from it."""
    return [Wanted(generator, str(seed), receipt(seed)) for seed in seeds]


def golden(generator: str) -> Iterator[Wanted]:
    """The committed ones: sales of every layout, and one of each kind that is none."""
    seed = 1000 * (1 + list(GENERATORS).index(generator))
    for language in LANGUAGES:
        for width_mm in WIDTHS_MM:
            for number in range(1, RECEIPTS_EACH + 1):
                layout = LAYOUTS[seed % len(LAYOUTS)]
                made = receipt(seed, kind=SALE, layout=layout, language=language, width_mm=width_mm)
                yield Wanted(generator, f"{language}-{width_mm}-{number}", made)
                seed += 1
    for at, kind in enumerate(kind for kind in KINDS if kind != SALE):
        yield Wanted(generator, kind, receipt(seed + at, kind=kind, language=LANGUAGES[at % 2]))


def printed(generator: str, receipts: list[Receipt]) -> Iterator[bytes]:
    """The bytes of each receipt, from one process; it is asked for one at a time, so that no pipe fills up."""
    process = subprocess.Popen(
        GENERATORS[generator], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        for one in receipts:
            process.stdin.write(json.dumps(job(one)) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            if not answer:
                raise SystemExit(f"{generator} ended at seed {one.seed}; what it said stands above")
            yield base64.b64decode(answer)


def job(one: Receipt) -> dict[str, Any]:
    """What a generator is told: the paper, and nothing of the truth."""
    return {
        "seed": one.seed,
        "language": one.language,
        "columns": WIDTHS_MM[one.width_mm],
        "paper": paper(one),
    }


def _write(where: Path, one: Wanted, data: bytes) -> None:
    folder = where / one.generator
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{one.name}.bin").write_bytes(data)
    truth = {"generator": one.generator, **one.receipt.as_json()}
    (folder / f"{one.name}.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
