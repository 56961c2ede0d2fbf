"""The words that people agree to, each version kept for as long as a consent rests on it.

A changed wording is a new version beside the old one: the ledger names the version, so what was
agreed to can be shown years later.
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One version of a text in both languages."""

    version: str
    zh: str
    en: str

    def read(self, language: str) -> str:
        """Return the text in a language."""
        return self.zh if language.startswith("zh") else self.en

    def evidence(self, language: str) -> str:
        """Return which words were shown: the language and a digest of the text."""
        digest = hashlib.sha256(self.read(language).encode()).hexdigest()[:16]
        return f"lang={language};sha256={digest}"


_PREFERENCES_1 = ConsentText(
    version="preferences-1",
    zh="勾选即表示您同意我们通过该渠道为该目的联系您；取消勾选即撤回同意，立即生效，不影响您已有的合同。",
    en=(
        "By ticking a box you agree that we contact you through this channel for this purpose. "
        "Unticking it takes your consent back at once and does not affect your contracts."
    ),
)
_LEAD_FORM_1 = ConsentText(
    version="lead-form-1",
    zh="我同意按以下渠道接收贷款产品的营销信息，并可随时免费撤回同意。不勾选也不影响提交咨询。",
    en=(
        "I agree to receive marketing about loan products through the channel below and may take "
        "this back at any time, free of charge. An enquiry does not depend on it."
    ),
)
PREFERENCE_TEXT = _PREFERENCES_1
LEAD_FORM_TEXT = _LEAD_FORM_1
TEXTS = {text.version: text for text in (_PREFERENCES_1, _LEAD_FORM_1)}
