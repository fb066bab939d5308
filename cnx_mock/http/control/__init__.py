"""The control plane, `/_mock`: the mock's own API, declared like the cloud's. One file for each resource."""

from cnx_mock.http.control import (
    account,
    clock,
    expectations,
    firewalls,
    instances,
    load_balancers,
    readings,
    requests,
    rules,
    sandboxes,
    scenario,
    snapshots,
    state,
)

RESOURCES = (
    sandboxes.resource,
    clock.resource,
    account.resource,
    instances.resource,
    snapshots.resource,
    firewalls.resource,
    load_balancers.resource,
    expectations.resource,
    readings.resource,
    rules.resource,
    scenario.resource,
    requests.resource,
    state.resource,
)
