"""Releases for the boxes, signed by The Update Framework's rules, in a folder that any web server can serve.

`keys.py` makes the keys and finds them again, `archive.py` packs one release, `repository.py` says what is current and signs
it, `commands.py` is `tillbox release`. What a box makes of it is in `agent/updates/trust.py`.
"""
