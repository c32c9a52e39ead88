"""Thousands of boxes on one machine, against the real broker and the real core: `tillbox loadtest`.

Start with `phases.py`, which says what happens and what is measured. `house.py` starts broker, core and wallet and
asks them how they are; `crowd.py` is a process full of boxes, and `crowds.py` gives several of them orders. A box is a
`twin.py` (what it records, sends and settles) on a `wire.py` (TLS that never blocks) that speaks `packets.py` (MQTT 5).
`watch.py` looks at presence all the while, `verdict.py` compares what the boxes hold with the book, `machine.py` says
who used how much of what, `report.py` puts the figures beside the goals, `certificates.py` makes ten thousand keys.
"""
