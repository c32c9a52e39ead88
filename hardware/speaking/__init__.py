"""From an amount to what is said, without a sound card: `amounts.py` has the words, `clips.py` joins recordings of
them, `waiting.py` says what is still worth saying."""
