"""From a document to bytes, purely. Start with `document.py` (what is to be read), then `escpos.py` (the
bytes a printer takes) and `paper.py` (the same as plain text, for screens and golden files)."""
