"""How well a client behaved, judged from what the journal keeps of its calls. Nothing below knows of this."""
