"""What is refused of a channel."""

from loancrm.kernel.errors import LoanCrmError


class ChannelInvalid(LoanCrmError):
    """A value that the channel cannot hold; `facts` name the field."""

    code = "channel_invalid"
