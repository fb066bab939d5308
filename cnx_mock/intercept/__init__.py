"""Leading this process's own HTTPS to the mock, below every HTTP client; and keeping it away from other hosts."""
