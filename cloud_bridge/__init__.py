"""The core: one book for everything, payments, the coupon rights of the boxes, and the console.

Start with `book/` (pure: what a record becomes) and `payments/machine.py` (pure: how a payment ends).
`store/` keeps what they decide. `ingest.py` is the one way in for records (`chains.py`: which count,
`claims.py`: what they may touch, `postings.py`: what they do), `desk.py` answers the boxes' questions,
`intake.py` is what waits for it, `complaints.py` what it refuses, and `alarms.py` what it shouts about. `fleet/` is the boxes, `releases/` their
software, `console/` the pages and `api/` the programs' door; `app.py` wires it all, and `serving.py` from a configuration.
"""
