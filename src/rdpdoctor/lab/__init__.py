"""Endpoints on loopback with planted faults: for trying, teaching and testing."""
