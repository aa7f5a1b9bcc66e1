"""The log: one totally ordered, durable sequence of command batches."""
