"""A disk that loses power, for any SQLite that apsw carries.

Start with `disk.py` (what survives a cut), then `vfs.py` (SQLite on it), `connection.py` (the journal's
port and a small DB-API module, so that the core's store runs on it too).
"""
