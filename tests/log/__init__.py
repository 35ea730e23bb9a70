"""The log over the trail, its witnesses, and the verifier that needs no server."""
