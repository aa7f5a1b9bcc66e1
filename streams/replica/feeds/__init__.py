"""Market feeds: sources of marks, fills, ideas and messages that become commands."""
