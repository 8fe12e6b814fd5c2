"""Exported rules of clouds: would a connection pass, and which rule decides."""
