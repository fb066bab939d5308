"""Numbers with their nouns: "1 rule", "2 rules"."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return the number and its noun: ``1 rule``, ``2 rules``, ``0 rules``.

    `plural` is needed only if the plural is not the noun and an "s".
    """
    return f"{number} {pluralized(number, noun, plural)}"


def pluralized(number: int, noun: str, plural: str = "") -> str:
    """Return the noun alone, in the form that goes with the number."""
    return noun if number == 1 else plural or f"{noun}s"
