"""The audit: judge from a journal how well a client behaved. The rooms below do not know it."""
