"""How it is commonly done: one Celery task a message through Django's mail API."""

from celery import shared_task
from django.core.mail import EmailMultiAlternatives, get_connection

from campaigns.benchmarks import texts
from campaigns.domain.content import texts as content


@shared_task(name="campaigns.benchmarks.send_one")
def send_one(*, number: int, port: int, **_: object) -> None:
    """Render and send one message over a connection of its own."""
    context = texts.person(number)
    subject, text, html = content.render_email(texts.compiled(), context)
    message = EmailMultiAlternatives(
        subject=subject,
        body=text,
        from_email=texts.SENDER,
        to=[texts.address(number)],
        headers={"List-Unsubscribe": f"<{context['unsubscribe_url']}>"},
        connection=get_connection(
            "django.core.mail.backends.smtp.EmailBackend", host="127.0.0.1", port=port
        ),
    )
    if html:
        message.attach_alternative(html, "text/html")
    message.send()
