"""The terminal: a pure till, and a runtime that does what it says.

Start with `till/table.py` (every event in every phase); `offline.py` is what a box may do alone, `past.py` what it
remembers, `runtime.py` does what the till says, durable things first, and `receipts.py` says what a slip says. `app.py` wires
a box from `config.py`: `prints.py` keeps print jobs and `printing.py` prints them, `front.py` is what the customer sees and
hears, `tapping.py` brings another till's papers, `screen/` is the page that a cashier sees, `api/` the door for another
program. `vitals.py` reads how the machine is, `alerts.py` says what must be seen to, `tally.py` adds up the journal,
`promise.py` says what the box can still do. `provisioning/` is how a box gets its place, `errands/` what head office commands,
`shell/` how it is let in, `updates/` how a release comes; `logs.py` keeps the log in files, `papers.py` signs the code of a slip. `doctor.py` says what is wrong, from what `examine.py` found; `inspect.py` reads
a journal. `outcomes.py` is how a command of head office moves and ends, `commands.py` is the command line, `words.py` what the till says, `clock.py` and `witness.py` what they are called,
`diagram.py` draws the till.
"""
