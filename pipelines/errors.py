"""The errors a user may see. Every message is a sentence: what, where, what is allowed, what to do next.

Add a class here when a caller must tell two failures apart. A message never carries a value from a customer's record.
"""


class KundenstammError(Exception):
    """An error whose message is safe to show and to log: it contains no personal data."""


class ConfigurationError(KundenstammError):
    """The configuration is invalid. `sentences` holds every problem found, one sentence each."""

    def __init__(self, sentences: list[str]) -> None:
        self.sentences = sentences
        super().__init__("\n".join(sentences))


class WarehouseError(KundenstammError):
    """The database engine failed; the engine's own words are only in the private error log."""


class SourceError(KundenstammError):
    """A source could not be read or delivered something that must not be landed."""


class TransformError(KundenstammError):
    """A dbt step failed."""


class BuildError(KundenstammError):
    """The open build does not allow what was asked."""


class LockedError(KundenstammError):
    """Another run is working in this data folder."""


class RefusedError(KundenstammError):
    """The audit, or the state of the build, does not allow publishing."""
