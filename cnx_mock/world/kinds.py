"""What each kind of resource is called, once: in errors, operations, documents, ids and sentences."""

from cnx_mock.dataclass import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """The names of one kind of resource. Kinds are compared by identity: each is one object of this module."""

    noun: str
    """One of them, as errors and scenarios spell it: `load_balancer`."""
    plural: str
    """Several of them, as operations, fixtures and quotas spell it: `load_balancers`."""
    prefix: str = ""
    """What its ids begin with: `lb`. Empty if its ids are names from the catalogue."""

    @property
    def words(self) -> str:
        """One of them, in a sentence: `load balancer`."""
        return self.noun.replace("_", " ")

    @property
    def id_pattern(self) -> str:
        """A regular expression for a whole id: `^lb_[0-9a-f]{16}$`."""
        return f"^{self.prefix}_[0-9a-f]{{16}}$"

    def id_digits(self, record_id: str) -> str:
        """Return the 16 hex digits of an id of this kind."""
        return record_id.removeprefix(f"{self.prefix}_")


INSTANCE = Kind("instance", "instances", "inst")
SNAPSHOT = Kind("snapshot", "snapshots", "snap")
FIREWALL = Kind("firewall", "firewalls", "fw")
LOAD_BALANCER = Kind("load_balancer", "load_balancers", "lb")
PLAN = Kind("plan", "plans")
REGION = Kind("region", "regions")
IMAGE = Kind("image", "images")
API_KEY = Kind("api_key", "api_keys", "key")
ACCOUNT = Kind("account", "accounts", "acct")
TRANSACTION = Kind("transaction", "transactions", "txn")

MADE = (INSTANCE, SNAPSHOT, FIREWALL, LOAD_BALANCER)
"""The kinds that a client makes, in the order in which documents and summaries list them."""

PROVISIONED = (INSTANCE, SNAPSHOT, LOAD_BALANCER)
"""The kinds that take time to become ready."""
