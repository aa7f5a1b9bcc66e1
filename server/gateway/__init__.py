"""The WebSocket gateway: our own protocol class behind uvicorn's HTTP port."""
