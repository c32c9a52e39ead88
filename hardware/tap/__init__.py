"""The receipt tap: what another program's till prints, read on its way to the printer.

Start with `reading.py` (what is believed), which stands on `grid.py` (where letters lie on paper), `letters.py` (which
letters) and `tokens.py` (where commands end). `template.py` is a layout as data, `stream.py` cuts a stream into papers,
`glyphs.py` reads what was drawn
(`raster.py`, `strips.py`) and `teach.py` learns how (`aligning.py`, `white.py`). `inject.py` adds a code before the last cut, `relay.py` stands between till and printer, `backend.py` brings a print queue to it. Only
the last two touch a line or a device."""
