"""What a trader's own account has earned, from its mark-to-market record."""
