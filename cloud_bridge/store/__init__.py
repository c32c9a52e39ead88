"""The core's memory, on SQLite or PostgreSQL. The only room in which SQLAlchemy appears.

Start with `tables.py`. `database.py` opens one and gives transactions; `ledger.py` posts what the book
decides; `records.py` keeps what boxes sent; `coupons.py` the stock and its leases; `payments.py` the open
attempts; `reading.py` answers the console about sales and boxes, `fleet_lists.py`, `fleet_board.py`, `health_lists.py` and `provisioning.py`
about the fleet. All writing happens inside one transaction of `Database`.
"""
