"""Events: everything that happens in a server, sent at once to the clients that listen.

`hub` is the only entrance: the pipeline's observers, the control plane and the tenants report to it what they did, and
listeners get events from it. `watch` finds out what has changed in a sandbox, at a cost that depends on the changes
alone. As long as nobody listens, none of it is there.
"""
