"""Durable delivery: the journal is the truth, the line a pipe.

Start with `journal.py` (record, pending, settle) and `delivery.py` (pure: what to send next). `line.py` is
the port to the line and `mqtt.py` its adapter, the one file that knows paho. `pki/` makes the small
certificate authority, `mosquitto/` runs a broker with certificates and an access list and nothing else.
"""
