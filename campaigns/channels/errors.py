"""Errors that a channel may raise for a whole batch; anything about one message is a result.

ChannelError
    ChannelMisconfigured    wrong options, login refused: stop the campaign, tell a person
    ChannelBlocked          the provider refuses the account: nothing of the batch was taken, and
                            nothing will be until a person has acted
    ChannelThrottled        the provider asks for a pause: nothing of the batch was taken
    ChannelUnavailable      no connection: nothing of the batch was taken
    WebhookRefused          a report whose signature, time or form is wrong
"""

from django.utils.translation import gettext as _

from loancrm.kernel.errors import LoanCrmError


class ChannelError(LoanCrmError):
    """A channel cannot take this batch. No message of the batch was handed over."""

    code = "channel_error"


class ChannelMisconfigured(ChannelError):
    """The channel cannot work until a person changes its options."""

    code = "channel_misconfigured"

    def __init__(self, problem: str) -> None:
        """Keep what is wrong."""
        super().__init__(
            _("The channel is not set up correctly: %(problem)s") % {"problem": problem},
            problem=problem,
        )


class ChannelBlocked(ChannelError):
    """The provider refuses everything of this account: by policy, for its sender, for its login."""

    code = "channel_blocked"

    def __init__(self, *, channel: str, problem: str) -> None:
        """Keep the provider's reason, a short code such as `5.7.1`."""
        super().__init__(
            _("%(channel)s refuses everything that is sent through it: %(problem)s")
            % {"channel": channel, "problem": problem},
            channel=channel,
            problem=problem,
        )
        self.problem = problem


class ChannelThrottled(ChannelError):
    """The provider asks to wait."""

    code = "channel_throttled"

    def __init__(self, *, channel: str, retry_after_seconds: float) -> None:
        """Keep how long to wait."""
        super().__init__(
            _("%(channel)s asks to wait %(seconds)d seconds.")
            % {"channel": channel, "seconds": retry_after_seconds},
            channel=channel,
        )
        self.retry_after_seconds = retry_after_seconds


class ChannelUnavailable(ChannelError):
    """The provider cannot be reached; trying again later is safe."""

    code = "channel_unavailable"

    def __init__(self, *, channel: str, problem: str, retry_after_seconds: float = 5.0) -> None:
        """Keep what failed and when to try again."""
        super().__init__(
            _("%(channel)s cannot be reached: %(problem)s")
            % {"channel": channel, "problem": problem},
            channel=channel,
            problem=problem,
        )
        self.retry_after_seconds = retry_after_seconds


class WebhookRefused(ChannelError):
    """A report from outside that is not proven to come from the provider, or is not readable."""

    code = "webhook_refused"

    def __init__(self, problem: str) -> None:
        """Keep what is wrong with the report."""
        super().__init__(
            _("The report was refused: %(problem)s") % {"problem": problem}, problem=problem
        )
