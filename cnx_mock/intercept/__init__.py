"""Interception: this process's HTTPS goes to the mock, by hooks below every HTTP client. And the egress guard."""
