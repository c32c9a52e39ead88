"""The book: one double-entry engine for money, points and coupons. Pure.

Start with `engine.py` (what holds always), then `accounts.py` (the names and their floors), `sales.py`
and `coupons.py` and `payments.py` (thin rules over the engine).
"""
