"""The console: what an operator sees. `app.py` is the doors, `pages/` has a folder for each page, `frame.py` is what
every page has around it, `words.py` the words in two languages, `formats.py` how figures and times are written,
`fields.py` and `settings_form.py` the fields of a form (pure), `forms.py` what they mean, `static/` style and scripts, `auth.py` who may come in, `changes.py` how open pages hear of news."""
