"""What codes mean: built from knowledge, shown as text or JSON."""
