"""What is wrong with a spec, as data: a reason for machines, a path into the spec and a sentence for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a spec can never be served. The operator shows it as the reason of the condition AgentValid."""

    SPEC_UNREADABLE = "SpecUnreadable"
    PROVIDER_NOT_ALLOWED = "ProviderNotAllowed"
    UNKNOWN_KEY = "UnknownKey"
    INVALID_CONFIG = "InvalidConfig"
    MODULE_NOT_FOUND = "ModuleNotFound"
    FACTORY_FAILED = "FactoryFailed"
    MISSING_SECRET = "MissingSecret"  # noqa: S105 - a reason's name
    NOT_SERVABLE = "NotServable"
    CODE_NOT_ALLOWED = "CodeNotAllowed"
    PLACEHOLDER = "PlaceholderLeft"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: `path` leads to it (`agent.component.provider`), `text` says what is wrong and what to do.

    A `warning` is told and served nevertheless.
    """

    reason: Reason
    path: str
    text: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text


class PermanentError(Exception):
    """The spec cannot be served, now or after a restart. Carries every finding; the first decides the reason."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        if not findings:
            raise ValueError("a permanent error needs at least one finding")
        self.findings = tuple(findings)
        super().__init__(" ".join(str(finding) for finding in self.findings))

    @property
    def reason(self) -> Reason:
        return self.findings[0].reason

    @property
    def path(self) -> str:
        return self.findings[0].path
