"""The promises, proved by commands: whole shops from a seed, power cuts, mutants, and real processes killed.

Start with `checkers.py` (what must hold, judged from the receipts that customers hold). `world.py` is a
whole town on one virtual clock: real till, journal, delivery, ingest and book; only clock, line and disk
are fakes. `mutants.py` switches protections off one at a time, to prove that the checkers can see.

In the town: `agenda.py` its clock, `nodes.py` its machines, `program.py` a box's errands, `wallet.py` the wallet company, `keys.py` its
keys, `headquarters.py` who commands, `replacement.py` a box that is put out, `stranger.py` one that was broken into; `pipeline.py` runs it.
On real parts: `kill9.py`, `powercut.py`, `powercut_kernel.py` and `crash/`, `smoke.py`, `drills/`, `load/`. What reads and how well: `camera.py`,
`decoding.py`, `pictures.py`. `commands.py` is the command line, `tables.py` the figures for the documentation.
"""
