"""Events: everything that happens in a server, told as it happens to those who listen.

`hub` is the one door: the pipeline's observers, the control plane and the tenants tell it what they did, and listeners
get events from it. `watch` finds out what has changed in a sandbox, at a cost that depends on the changes alone. As
long as nobody listens, none of it is there.
"""
