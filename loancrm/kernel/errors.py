"""The root of every error that loancrm raises on purpose.

LoanCrmError
    PermissionRefused        loancrm.kernel.access
    CipherRefused            loancrm.kernel.security.crypto
    TemplateRefused          loancrm.kernel.texts.templates
    Each further one stands beside the function that raises it.
"""

from typing import ClassVar


class LoanCrmError(Exception):
    """An anticipated failure with a stable code.

    Args:
        message: Translated text for a person; contains no personal data.
        facts: Ids and counts that explain the failure; no personal data.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **facts: object) -> None:
        """Keep the message and the facts."""
        super().__init__(message)
        self.message = message
        self.facts = facts
