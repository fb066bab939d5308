"""Leading this process's HTTPS to the mock: hooks below every HTTP client, interception, and the egress guard."""
