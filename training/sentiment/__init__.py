"""How the lexicon of sentiment is learned and judged. See train.py for the command."""
