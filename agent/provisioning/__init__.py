"""How a box gets its place: `claiming.py` reads the claim, `enrolling.py` asks for the certificate, `place.py` is what it
then knows of itself, `keystore.py` holds the key that never leaves, `tpm.py` where the board seals it. `arriving.py` plays all of it; `birth.py` is the slip at
its end. `steward.py` sees to the certificate as long as the box lives.
"""
