"""The console: what an operator sees. `app.py` is the doors, `pages/` has a folder for each page, `frame.py` is what
every page has around it, `words.py` the words in two languages, `formats.py` how figures and times are written,
`forms.py` what the fields of a form mean, `auth.py` who may come in, `changes.py` how open pages hear of news."""
