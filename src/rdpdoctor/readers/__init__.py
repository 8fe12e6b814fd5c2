"""Recorded evidence becomes observations here. No sockets."""
