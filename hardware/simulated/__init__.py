"""Twins of the devices: everything that runs without hardware runs on these, behind the real drivers.

`scanner.py` is a cable, `camera.py` a source of frames, `drawer.py` a counter of pulses, `printer.py` a
printer, `display.py` a customer display that `customer.py` looks at, `speaker.py` a sound card that keeps what it played. They are steered from inside the process by the tests and by the demo.
"""
