"""Copy trading: settings, the gates a signal passes, and the life of a relationship."""
