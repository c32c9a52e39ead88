"""The fleet: which box stands where, who let it in, what it is told, and whether it is well.

Start with `admission.py` (pure: who becomes what), then `enrolment.py`, which does what it says. `acts.py` is the table of
everything that a person can do, each with who may; console, API and command line go through it. `warden.py` keeps those
out that were put out. `presence.py` is who is there, `views.py` what somebody looks at often, `alerting.py` what must be seen to, `heralds.py` tells it out of the
house, and `top.py` shows it in a terminal.
"""
