"""Thresholds: every number that a check judges by, with its name, its default and the reason for it."""

from dataclasses import dataclass

from cnx_mock.errors import AuditError
from cnx_mock.text.units import format_duration, parse_duration


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number with a name: a duration such as `1s`, or a count."""

    name: str
    """Its name, and that of its option."""
    default: str | int
    """What it is unless given."""
    reason: str
    """Why that."""

    @property
    def is_duration(self) -> bool:
        """Whether it is a duration, and no count."""
        return isinstance(self.default, str)

    def value(self, given: object) -> float:
        """A value in microseconds, or as a count. Raises AuditError."""
        if self.is_duration:
            try:
                return parse_duration(given)
            except ValueError as error:
                raise AuditError(f"{self.name}: {error}") from None
        text = str(given)
        if isinstance(given, bool) or not (text.isascii() and text.isdigit() and len(text) <= 9):
            raise AuditError(f"{self.name}: {text[:64]!r} is not a whole number: write {self.default}")
        return int(text)

    def spelt(self, value: float) -> str:
        """A value as people write it."""
        return format_duration(int(value)) if self.is_duration else str(int(value))
