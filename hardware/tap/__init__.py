"""The receipt tap: what another program's till prints, read on its way to the printer.

Start with `reading.py` (what is believed), which tries the layouts of `template.py` on the lines (`items.py`, `sums.py`,
`names.py`, with the labels of `words.py` and the figures of `figures.py`). The lines come from `grid.py` (where letters lie on
paper), `letters.py` (which letters) and `tokens.py` with `lengths.py` (where commands end). Receipts that are drawn come by
`raster.py`, `strips.py` and `drawn.py`, letter by letter of `glyphs.py`, which `teach.py`, `aligning.py` and `white.py` learn.
`stream.py` cuts a stream into papers, `inject.py` adds a code before the last cut, `learn.py` proposes a layout, `commands.py` is
`tillbox tap`. Only `relay.py` with its `doors.py` and `pump.py`, and `backend.py` for the print spooler, touch a device.
"""
