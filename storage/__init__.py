"""PostgreSQL: migrations, archive, snapshots, accounts, history."""
