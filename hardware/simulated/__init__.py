"""Twins of the devices: everything that runs without hardware runs on these, behind the real drivers.

`scanner.py` is a cable, `keyboard.py` one that types, `camera.py` a source of frames, `drawer.py` a counter of
pulses, `printer.py` a printer. They are steered from inside the process by the tests and by the demo.
"""
