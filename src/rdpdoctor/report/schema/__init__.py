"""The committed JSON Schemas of what scripts may rely on."""
