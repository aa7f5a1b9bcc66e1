"""Users that act, driven by locust: terminals, signal bots, traders, readers."""
