"""Updates: two slots, signed releases, a trial that the software before it judges.

Start with `machine.py` (pure: every event in every state). `gate.py` says what an update waits for, `health.py` what the
answers of a new release must be; both pure. `trust.py` believes what is signed and current, `transfer.py` brings it,
`slots.py` unpacks it, `exam.py` asks it (`answers.py` answers, in the new release), `judge.py` judges its trial. `room.py`
does all that in a running box. `launcher.py` lives beside the slots and starts one of them. `words.py` says why not,
`settings.py` is the room in a box's configuration, `commands.py` the command line.
"""
