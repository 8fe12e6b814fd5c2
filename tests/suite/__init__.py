"""The scenario suite: all that can be planted, played side by side, and how often the report was right."""
