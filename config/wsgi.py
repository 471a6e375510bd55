"""Entry point of the web processes: `gunicorn config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from config import checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.development")

application = get_wsgi_application()
checks.start()
