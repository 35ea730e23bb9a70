"""Programs to take away: each a single file that checks what was published and needs nothing of the server."""
