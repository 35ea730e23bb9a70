"""What everybody may read, at the size of a province: how it is found, and that nothing personal is in it."""
