"""What programmers run beside the server."""
