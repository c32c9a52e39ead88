"""Wallet companies behind one port. Start with `port.py`."""
