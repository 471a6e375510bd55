"""Settings of a deployment: nothing is guessed, what is missing stops the start."""

from django.core.exceptions import ImproperlyConfigured

from config.settings import databases, keys
from config.settings.base import *  # noqa: F403
from config.settings.base import env

REQUIRED = (
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "FAIRPLACE_URL",
    "DATABASE_URL",
    "FAIRPLACE_CONTEXT_KEY",
    "FAIRPLACE_FIELD_KEYS",
    "FAIRPLACE_BLIND_INDEX_KEY",
    "FAIRPLACE_CERTIFICATE_KEY",
    "IDP_OIDC_PRIVATE_KEY",
    "STRIPE_API_KEY",
    "STRIPE_WEBHOOK_SECRET",
)
missing = [name for name in REQUIRED if not env(name, default="")]
if missing:
    raise ImproperlyConfigured(f"Set these environment variables: {', '.join(missing)}.")

DEBUG = False
SECRET_KEY = env("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
CONTEXT_KEY = keys.key("FAIRPLACE_CONTEXT_KEY", env("FAIRPLACE_CONTEXT_KEY"))
FIELD_KEYS = keys.field_keys(env("FAIRPLACE_FIELD_KEYS"))
BLIND_INDEX_KEY = keys.key("FAIRPLACE_BLIND_INDEX_KEY", env("FAIRPLACE_BLIND_INDEX_KEY"))
CERTIFICATE_KEY = keys.key("FAIRPLACE_CERTIFICATE_KEY", env("FAIRPLACE_CERTIFICATE_KEY"))
# In one line, with \n for its line breaks.
IDP_OIDC_PRIVATE_KEY = env("IDP_OIDC_PRIVATE_KEY").replace("\\n", "\n")
EMBEDDED_POSTGRES = False
DATABASES = databases.configured(env)

TOTP_REQUIRED_FOR_INSTITUTIONS = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https"

SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
LANGUAGE_COOKIE_SECURE = True
# How many proxies of ours stand in front; what they say of the client is believed, no more.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("FAIRPLACE_TRUSTED_PROXIES", default=0)
if ALLAUTH_TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

globals().update(env.email_url("EMAIL_URL", default="smtp://localhost:25"))
