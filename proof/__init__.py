"""The promises, proved by commands: whole shops from a seed, power cuts, mutants, and real processes killed.

Start with `checkers.py` (what must hold, judged from the receipts that customers hold). `world.py` is a
whole town on one virtual clock: real till, journal, delivery, ingest and book; only clock, line and disk
are fakes. `mutants.py` switches protections off one at a time, to prove that the checkers can see.
"""
