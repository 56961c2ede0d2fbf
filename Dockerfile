FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=loancrm.settings.prod \
    LOANCRM_VAR_DIR=/var/lib/loancrm

WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt

COPY manage.py gunicorn.conf.py LICENSE NOTICE ./
COPY loancrm ./loancrm
COPY customers ./customers
COPY campaigns ./campaigns
COPY analytics ./analytics
COPY templates ./templates

# Static files are the same for every installation; the values given here reach this one command only.
# A new volume takes its owner from the folder that it is put on.
RUN useradd --system --home-dir /var/lib/loancrm --create-home loancrm \
    && LOANCRM_SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
       LOANCRM_KEYS="build:$(python -c 'import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())')" \
       LOANCRM_INDEX_KEY="$(python -c 'import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())')" \
       LOANCRM_ALLOWED_HOSTS=localhost \
       LOANCRM_PUBLIC_URL=http://localhost \
       LOANCRM_PROXY_COUNT=0 \
       python manage.py collectstatic --noinput -v 0 \
    && mkdir -p /var/lib/loancrm/deployments /var/lib/loancrm/anchors /var/lib/loancrm/beat \
    && chown -R loancrm:loancrm /var/lib/loancrm

USER loancrm
EXPOSE 8000
CMD ["gunicorn", "loancrm.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--timeout", "120", "--graceful-timeout", "7", "--config", "gunicorn.conf.py", "--no-control-socket"]
