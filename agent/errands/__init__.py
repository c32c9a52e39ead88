"""What head office commands a box to do. `judging.py` says what to do about a command now (pure), `room.py` hears and
carries out, `doing.py` has the verbs that take their time, `bundle.py` what support gets to see, `lately.py` the last
lines of the log, `live.py` what head office watches.

What a command may be, its life and its signature are in contracts/commands.py, for the core reads the same table.
"""
