"""What an API call may end in. Callers catch the narrowest class that they can act on."""


class KubeError(Exception):
    """Base of every error that an API call raises."""


class Unreachable(KubeError):
    """No answer: refused, reset or timed out. Nothing is known about the request's effect."""


class NotLeading(KubeError):
    """Another replica may be writing, so the write was not sent."""


class Refused(KubeError):
    """The API server answered with an error.

    Attributes:
        code: HTTP status.
        message: the API server's own sentence.
        retry_after_seconds: what a 429 or 503 asked for, else None.
    """

    def __init__(self, code: int, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retry_after_seconds = retry_after_seconds


class NotFound(Refused):
    """404: the object, its namespace or its kind does not exist."""


class Conflict(Refused):
    """409: the object exists already, or has changed since it was read."""


class Invalid(Refused):
    """400, 403 by admission, or 422: the object itself is wrong; sending it again will not help."""


class NamespaceTerminating(Refused):
    """403: the namespace is being deleted, so nothing can be created in it any more."""
