"""What stands between instances and the world."""

from cnx_mock.services.network import firewalls, load_balancers

RESOURCES = (firewalls.firewalls, load_balancers.load_balancers)
