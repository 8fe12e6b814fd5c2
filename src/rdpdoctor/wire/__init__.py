"""Bytes to frozen values and back, one file a protocol layer. No sockets, no clocks, no files.

Every parser takes whatever a peer sent and either returns a value, asks for more (`take` returning None) or
raises `Malformed`; nothing else escapes. Encoders raise ValueError for what the format cannot hold.
"""
