"""The wire protocol without I/O: messages, channels, checksums, and the session of a socket."""
