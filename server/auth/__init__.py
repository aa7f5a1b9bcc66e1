"""Identity at the edge."""
