"""Thresholds: every number that a check decides by, with its name, its default and the reason for the default."""

from cnx_mock.dataclass import dataclass
from cnx_mock.errors import AuditError
from cnx_mock.text.units import parse_duration


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number with a name: a duration such as `1s`, or a count."""

    name: str
    """Its name, which is also the name of its option."""
    default: str | int
    """Its value unless another one is given."""
    meaning: str
    """What it is, in a few words."""
    reason: str
    """Why it has that default."""

    @property
    def is_duration(self) -> bool:
        """Whether it is a duration; otherwise it is a count."""
        return isinstance(self.default, str)

    def value(self, given: object) -> float:
        """Return a given value in microseconds, or as a count. Raises AuditError if it is neither."""
        if self.is_duration:
            try:
                return parse_duration(given)
            except ValueError as error:
                raise AuditError(f"{self.name}: {error}") from None
        text = str(given)
        if isinstance(given, bool) or not (text.isascii() and text.isdigit() and len(text) <= 9):
            raise AuditError(f"{self.name}: {text[:64]!r} is not a whole number: write {self.default}")
        return int(text)
