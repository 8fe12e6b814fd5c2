"""rdpdoctor: finds out why a Remote Desktop connection fails."""
