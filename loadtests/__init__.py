"""Load tests: what a node does under many sockets and many users, with its content verified."""
