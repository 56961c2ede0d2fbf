"""Letting something happen between the decision about people and the mark of their messages."""

from campaigns.services.sending import settling


def meanwhile(monkeypatch, person, act):
    """Let something happen when the person's sub-batch is decided and not marked yet."""
    step, done = settling.step, []

    def acting(**arguments):
        attempt = arguments["attempt"]
        people = {item.recipient.customer_id for item in attempt.batch} if attempt else set()
        if person.pk in people and not done:
            done.append(act())
        return step(**arguments)

    monkeypatch.setattr(settling, "step", acting)
