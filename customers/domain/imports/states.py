"""How far imports are and what they may do; what becomes of their rows and changes."""

from enum import StrEnum


class ImportState(StrEnum):
    """How far a batch has come."""

    DRAFT = "draft"
    QUEUED = "queued"
    STAGING = "staging"
    MATCHING = "matching"
    APPLYING = "applying"
    DONE = "done"
    FAILED = "failed"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    UNDOING = "undoing"
    UNDONE = "undone"


class ImportMode(StrEnum):
    """What an import may do."""

    INSERT = "insert"
    UPDATE = "update"
    UPSERT = "upsert"


class RowState(StrEnum):
    """What became of a staged row."""

    STAGED = "staged"
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    MERGED = "merged"
    REJECTED = "rejected"
    UNDONE = "undone"
    KEPT = "kept"


class ImportChangeKind(StrEnum):
    """What of a customer an import changed."""

    FIELD = "field"
    NAME = "name"
    NATIONAL_ID = "national_id"
    CONTACT = "contact"
    TRUSTED_CONTACT = "trusted"
    ATTRIBUTE = "attribute"
    CONSENT = "consent"
    LINK = "link"


class ChangeOutcome(StrEnum):
    """What an undo did with a change."""

    OPEN = ""
    RESTORED = "restored"
    KEPT = "kept"
