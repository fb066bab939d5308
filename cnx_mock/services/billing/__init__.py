"""Money: the balance, every transaction behind it, and reports of the spending. One resource in three files."""

from cnx_mock.services.billing import balance, reports, transactions

__all__ = ["RESOURCES", "reports", "transactions"]

RESOURCES = (balance.billing,)
