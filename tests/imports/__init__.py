"""Import and export: files as people bring them, and what becomes of them."""
