"""The receipt tap: what another program's till prints, read on its way to the printer.

Start with `reading.py` (what is believed), which stands on `grid.py` (where letters lie on paper), `letters.py` (which
letters) and `tokens.py` (where commands end). `template.py` is a layout as data, `stream.py` cuts a stream into papers,
`inject.py` adds a code before the last cut, `relay.py` stands between till and printer. Only the relay touches a device."""
