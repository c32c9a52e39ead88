"""The terminal: a pure till, and a runtime that does what it says.

Start with `till/table.py` (every event in every phase); `offline.py` is what a box may do alone,
`past.py` what it remembers, `runtime.py` does what the till says, durable things first, `app.py` wires a
box from `config.py`, and `screen/` is the page that a cashier sees.
"""
