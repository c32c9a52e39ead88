"""The local door for another program's till on this machine: HTTP and WebSocket on loopback.

`orders.py` is pure: what has become of a payment that was asked for, from what the till shows. `store.py` keeps requests,
events and pairings; `desk.py` carries between them and the till; `server.py` is the door itself, with its `manners.py` (who may
ask, and how much) and what travels through it (`wire.py`). Off unless the configuration opens it.
"""
