"""The receipt tap: what another program's till prints, read on its way to the printer.

Start with `reading.py` (what is believed), which stands on `grid.py` (where letters lie on paper), `letters.py` (which
letters), `tokens.py` (where commands end), `words.py` (what receipts call things) and `names.py` (long names put
together again). `template.py` is a layout as data and `learn.py` proposes one; `stream.py` cuts a stream into papers,
`inject.py` adds a code before the last cut, `relay.py` stands between till and printer. Only the relay touches a device;
`commands.py` is `tillbox tap`.
"""
