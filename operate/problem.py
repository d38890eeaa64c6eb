"""The one error that operating ends with when a person has to put something right."""


class OperatingError(Exception):
    """The text says what is wrong and what to do."""
