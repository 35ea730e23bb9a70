"""Sentences about the world, each proved."""
