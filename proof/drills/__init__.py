"""Drills: what goes wrong in a fleet, played on real parts and judged from the outside.

`update.py` plays releases, good and bad: `workshop.py` builds and signs them, `webserver.py` serves them and lies, `station.py`
is the box under its launcher, `cuts.py` ends the power at the steps that `points.py` names.
"""
