"""The room with sockets and clocks: dial, drive a machine, look names up, ask the kernel what it measured."""
