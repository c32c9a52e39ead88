"""From a face to a customer display's bytes, purely: `vfd.py` for two lines of text, `led8.py` for eight digits."""
