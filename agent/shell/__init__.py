"""A remote shell on this box, if the box lets anybody in: its own configuration says so, and head office cannot change it.

`consent.py` decides whether somebody gets in and when it is over (pure), `room.py` is the door and the thread of the one session
there may be, `recording.py` writes down what is typed and shown, and `keeper.py` is a program of its own that starts the shell
and leaves nothing of it behind. What travels is in contracts/shells.py; what to fear is in docs/shell.md.
"""
