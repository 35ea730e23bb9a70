"""The demo district: synthetic, realistic, the same on every machine."""

from server.demo.load import load

__all__ = ["load"]
