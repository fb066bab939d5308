"""The audit: judge from a journal how well a client behaved. No package below imports it."""
