"""The demo district: synthetic, realistic, the same on every machine."""
