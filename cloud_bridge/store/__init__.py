"""The core's memory, on SQLite or PostgreSQL. Its tables are here, and whoever opens one; other rooms of the core ask and write
through the connection that they are given.

Start with `tables.py`. `database.py` opens one and gives transactions, `upgrade.py` and `migrations/` bring an older one to these
tables, `append_only.py` refuses to change what has happened. `ledger.py` posts what the book decides, `coupons.py` is the stock and its
leases, `registry.py` the fleet, `commands.py` what boxes were commanded, `shells.py` the recordings, `notes.py` alarms and refusals.
Lists for people: `reading.py` (sales and boxes), `fleet_lists.py`, `fleet_board.py`, `provisioning.py`, `health_lists.py`,
`command_lists.py`, `setting_lists.py` and `timeline.py`. All writing happens inside one transaction of `Database`.
"""
