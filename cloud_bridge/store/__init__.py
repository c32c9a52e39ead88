"""The core's memory, on SQLite or PostgreSQL. The only room in which SQLAlchemy appears.

Start with `tables.py`. `database.py` opens one and gives transactions; `ledger.py` posts what the book
decides; `records.py` keeps what boxes sent; `coupons.py` the stock and its leases; `payments.py` the open
attempts; `reading.py` answers the console, `fleet_lists.py` and `health_lists.py` the fleet's pages and the API. All writing happens inside one transaction of `Database`.
"""
