"""What was stored has happened, whether or not the broker hears of it."""

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from loancrm.kernel import jobs
from loancrm.kernel.jobs import Job


class _Task:
    def apply_async(self, **_options):
        raise OperationalError("redis://:secret@127.0.0.1 is away")


def test_a10_a_broker_that_is_away_is_told_and_raises_nothing(monkeypatch, caplog):
    monkeypatch.setattr(transaction, "on_commit", lambda send: send())
    monkeypatch.setitem(current_app.tasks, "probe", _Task())
    jobs.enqueue(Job("probe", queue="default"), number=1)
    assert "job not announced" in caplog.text
    assert "secret" not in caplog.text
    assert jobs.take_unannounced()
    assert not jobs.take_unannounced()
