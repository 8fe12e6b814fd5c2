"""Sans-I/O machines over the wire layer, one stage of a connection each (see `machine`)."""
