"""How fast rdpdoctor is beside other tools, on the same servers in the same run. `make bench` runs it."""
