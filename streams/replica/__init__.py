"""One node's copy of the state: recover, tail, apply, publish, answer."""
