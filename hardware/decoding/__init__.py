"""From a picture to the codes on it: `load` makes bytes a grey picture, `decode` reads it.

Start with `cascade.py`, which says how many looks a code needs before it counts. `looks.py` holds the two
decoders and `easier.py` what is done to a picture that they miss; `stripes.py` reads goods' codes by how `digits.py`
are drawn, where `patches.py` saw bars and `bands.py` how they lie. `gaze.py` spreads all this over a camera's frames, `picture.py` opens untrusted
files, `found.py` is what they speak in. Importing this package loads numpy, Pillow and the decoders, so only a camera
and `tillbox scan` do.
"""

from .cascade import decode
from .found import Found
from .gaze import Gaze
from .picture import Picture, load

__all__ = ["Found", "Gaze", "Picture", "decode", "load"]
