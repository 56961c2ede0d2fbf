"""The form on which staff sign in."""

from typing import Any

from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from loancrm.kernel import clock
from loancrm.kernel.sign_in import service


class SignInForm(AuthenticationForm):  # type: ignore[misc] # the theme ships no types
    """Asks the service; says the same of a wrong name, a wrong password and a former colleague."""

    def clean(self) -> dict[str, Any]:
        """Look at name and password within the limits."""
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        self.wait_seconds = 0
        if name and password:
            try:
                self.user_cache = service.sign_in(
                    request=self.request, name=name, password=password, now=clock.now()
                )
            except service.SignInPaused as refusal:
                self.wait_seconds = int(str(refusal.facts["retry_after_seconds"]))
                raise ValidationError(refusal.message, code=refusal.code) from refusal
            if self.user_cache is None:
                raise self.get_invalid_login_error()
        return dict(self.cleaned_data)
