"""Spreadsheets: reading what people bring, however broken, and writing what they take away, safe to open."""
