"""`tillbox print`: from a shop's words or its table to labels that are surely readable.

Start with `kinds.py` (what the four kinds want to know), then `table.py` (a CSV file as a shop's computer writes it),
`making.py` (each label is made, and its codes read back from what goes out), `going.py` (to a file or a printer) and
`batch.py`, one run of all this. `commands.py` and `options.py` are its words on the command line, `issuer.py` is the
key that signs coupons. How a label looks and which bytes it is, `printing/labels/` knows.
"""
