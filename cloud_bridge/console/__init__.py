"""The console: what an operator sees. `app.py` is the doors, `pages.py` what each page shows, `words.py` the
words in two languages, `auth.py` who may come in, `changes.py` how open pages hear of news."""
