"""One file per way that a device speaks. Each is imported only when a box has that device.

`scanner_serial.py` reads a hand scanner on a serial line, `framing.py` is its pure half; `scanner_keys.py` reads
one that types, `keys.py` says what was typed; `typed.py` takes off what either was told to type around a code.
`camera.py` turns frames into codes: `frames.py` says where frames come from, `frames_opencv.py` has those of a USB
camera, `watch.py` looks at them, `light.py` says when there is too little light or too much, `motion.py` says when it is worth it, and `repeats.py` keeps one code from being read
twice. `worker.py` is the thread that readers share the manners of, and `plugs.py` wakes it when a cable is put in;
`hints.py` says what to do about a device that does not open.

`printer.py` prints, over the `wires.py` there are and with the `manners.py` of each language; `drawer.py` opens the
drawer behind it. `display_serial.py` shows the customer a face; `speaker_alsa.py` says amounts aloud, through the
`programs.py` of the system.
"""
