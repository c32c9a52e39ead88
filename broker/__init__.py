"""Durable delivery: the journal is the truth, the line a pipe.

Start with `journal.py` (record, pending, settle; `medium.py` is its disk) and `delivery.py` (pure: what to
send next, as a table). `line.py` is the port to the line. It has two adapters that keep one conformance
suite: `mqtt.py`, the one file that knows paho, and `memory.py`, which loses, repeats, delays, cuts and
forgets on a virtual clock. `pki/` makes the small certificate authority, `mosquitto/` runs a broker with
certificates and an access list and nothing else. `own.py` and `supervisor.py` are what a process that works on
alone needs: what it must have to itself, and what systemd is told.
"""
