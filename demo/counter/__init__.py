"""The counter: a page where a visitor plays the shop. `server.py` serves it, `shelf.py` makes the codes on it."""
