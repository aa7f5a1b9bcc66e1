"""The swarm: ten thousand sockets and more in one thread, every frame of them verified."""
