"""The fleet: which box stands where, who let it in, what it is told, and whether it is well.

Start with `admission.py` (pure: who becomes what), then `enrolment.py`, which does what it says. `acts.py` is the table of
everything that a person can do, each with who may; console, API and command line go through it, and `audit.py` writes it down.

Boxes: `plan.py` places, `sheets.py` claims on paper, `photographs.py` how a box stands, `home.py` the fleet's own keys.
`warden.py` keeps those out that were put out; `fences.py` says what of theirs is still taken, `quota.py` how much a day, `late.py` and
`papers.py` by which other ways it comes, `missing.py` what is not here.
What they are told: `settings.py` decides, `twin.py` sends. Commands: `commanding.py` writes them down, `waves.py` (pure) says who
comes when, `dispatch.py` sends, `results.py` opens what came of it.
How they are: `presence.py` who is there, `alerting.py` what must be seen to, `heralds.py` tells it out of the house, `views.py` what
somebody looks at often, `onlooker.py` what a box shows just now. `shells.py` is the remote shells, `recordings.py` and `plain.py` what is
kept of them.
The command line: `commands.py`, with `command_line.py`, `box_line.py`, `watch_line.py`, `terminal.py`, `board.py` and `top.py`; `client.py` asks the
core for them.
"""
