"""Money: what is left, every event behind that, and what was spent on what. One resource in three files."""

from cnx_mock.services.billing import balance, reports, transactions

__all__ = ["RESOURCES", "reports", "transactions"]

RESOURCES = (balance.billing,)
