"""Wallet companies behind one port: what the core asks of them, and a sandbox that can be as bad as the real ones.

Start with `port.py`, the five verbs and what each word means. The rest is one wallet company, the sandbox:

    sandbox_client.py    the adapter that the core uses
    sandbox_office.py    the wallet's own people: moods and statements, for demos and checkers
    sandbox_line.py      signed requests over HTTP, for both
    sandbox_wire.py      what travels between the two, and `verify_notification`
    sandbox_seal.py      signatures, secrets in files, no message twice
    sandbox_words.py     its words for why
    sandbox_manners.py   how a payment can go wrong, and which payment code asks for it
    sandbox_rules.py     where a trade stands (pure)
    sandbox_book.py      the company's money, in one SQLite file
    sandbox_customers.py who pays, declines, walks away
    sandbox_ledger.py    the five verbs on that money
    sandbox_notices.py   tells the core, at least once
    sandbox_door.py      who comes in, how an answer goes out
    sandbox_config.py    what it needs to know
    sandbox_server.py    the process
"""
