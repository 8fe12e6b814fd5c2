"""The server's side of the connection sequence, for the lab: machines as `machine` describes them."""
