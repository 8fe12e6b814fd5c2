"""The frozen Report and its renderers, one file each. Pure: no sockets, no clocks, no files."""
