"""Twins of the devices: everything that runs without hardware runs on these, behind the real drivers.

`scanner.py` is a cable, `keyboard.py` one that types, `camera.py` a source of frames, `drawer.py` a counter of pulses,
`printer.py` a printer, which speaks in `tongues.py` and whose paper `paper.py` reads: `paper_escpos.py` and
`paper_star.py` know the commands, `paper_picture.py` draws. `display.py` is a customer display that `customer.py` looks
at, `speaker.py` a sound card that keeps what it played. They are steered from inside the process by the tests and by
the demo.
"""
