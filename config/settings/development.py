"""Settings of a developer's machine: `make run` and plain `manage.py`."""

from config.settings import databases, keys
from config.settings.base import *  # noqa: F403
from config.settings.base import VAR_DIR, env

DEBUG = env.bool("FAIRPLACE_DEBUG", default=True)
GRAPHQL_INTROSPECTION = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
globals().update(keys.local(VAR_DIR))

EMBEDDED_POSTGRES = not env("DATABASE_URL", default="")
DATABASES = databases.embedded(VAR_DIR) if EMBEDDED_POSTGRES else databases.configured(env)

# Static files come straight from where they are; nothing is collected.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = VAR_DIR / "mail"

STRIPE_SIMULATED = not env("STRIPE_API_KEY", default="")
if STRIPE_SIMULATED:
    STRIPE_API_KEY = "sk_test_simulator"
    STRIPE_WEBHOOK_SECRET = "whsec_simulator"  # noqa: S105 - the simulator's own, known to all
    STRIPE_API_BASE = f"http://127.0.0.1:{env.int('FAIRPLACE_SIMULATOR_PORT', default=12111)}"
