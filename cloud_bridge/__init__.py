"""The core: one book for everything, payments, the coupon rights of the boxes, and the console.

Start with `book/` (pure: what a record becomes) and `payments/machine.py` (pure: how a payment ends).
`store/` keeps what they decide, `ingest.py` is the one way in for records, `desk.py` answers the boxes'
questions, `feed.py` tells open consoles, `app.py` wires it all.
"""
