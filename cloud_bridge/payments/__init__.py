"""Payments: every attempt ends as paid, declined or reversed, never as "paid and nobody knows".

Start with `machine.py` (pure: the table of one attempt's life); `channels/` are the wallet companies;
`cashier.py` keeps the machines in the store and does what they say.
"""
