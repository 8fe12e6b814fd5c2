"""Recordings of packets: the Remote Desktop connections in them, walked as a live check walks its own."""

from rdpdoctor.readers.capture.model import Capture, CaptureError, Limits, Stream, Totals
from rdpdoctor.readers.capture.read import is_capture, read_capture

__all__ = ["Capture", "CaptureError", "Limits", "Stream", "Totals", "is_capture", "read_capture"]
