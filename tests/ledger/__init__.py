"""The completeness ledger, and the checker that needs no server."""
