"""Devices: what they must do, the drivers that do it, and twins that do it without hardware.

Start with `ports.py`: readers, printers, the drawer, the customer's display and the speaker as the till knows them.
Then `drivers/` (a file for each way a device speaks), `simulated/` (the twins), `decoding/` (from a picture to its
codes), `printing/` (from a document to a printer's bytes), `displays/` (from a face to a display's) and `speaking/`
(from an amount to words). `registry.py` finds the driver that a configuration names, `addresses.py` says what an address is, and `finding.py` what is plugged
in. `commands.py` is `tillbox scan`, `labels/` is `tillbox print`, and `tap/` reads what another program's till prints.
Nothing heavy is imported until a box has the device that needs it.
"""
