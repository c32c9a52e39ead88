"""A whole town on one machine, on real parts: broker, core, wallet company and boxes, each a process.

Start with `town.py` (who is there and how they are wired); `wire.py` is a cable that can be cut,
`counter/` the page on which a visitor plays the shop. The same without a visitor is `proof/smoke.py`.
"""
