"""Firewalls and load balancers: the traffic from and to instances."""

from cnx_mock.services.network import firewalls, load_balancers
from cnx_mock.services.network.attachment import attach
from cnx_mock.services.network.firewalls import FirewallBody
from cnx_mock.services.network.load_balancer_body import LoadBalancerBody, health_check
from cnx_mock.services.network.load_balancers import REGION_HOURLY_CENTS

__all__ = ["REGION_HOURLY_CENTS", "RESOURCES", "FirewallBody", "LoadBalancerBody", "attach", "health_check"]

RESOURCES = (firewalls.firewalls, load_balancers.load_balancers)
