"""From a label to bytes, purely. Start with `label.py` (what stands where) and `designs.py` (how the four kinds look),
which fits its texts with `layout.py` in the letters of `typeface.py` and draws `bars.py`.

It goes out as `tspl.py` or `zpl.py`, as a picture (`label_picture.py`), or as an A4 `sheet.py` of `pdf.py`. What
goes out is read back with `eye.py`, which shares nothing with the encoders that it judges.
"""
