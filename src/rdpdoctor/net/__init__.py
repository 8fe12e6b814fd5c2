"""The only room with sockets and clocks: dial, drive a machine, look names up, and what the kernel measured."""
