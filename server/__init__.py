"""The process: composition root, HTTP, gateway, command line."""
