"""The till's own page, on loopback. `page.py` is what it shows, `server.py` how it is asked and told."""
