"""Keys as they stand in the environment, and those that a development machine makes for itself."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import ImproperlyConfigured

from config import secret_files

KEY_BYTES = 32
KEY_ID_BYTES = 8


def key(name: str, text: str) -> bytes:
    """A key of 32 bytes out of 64 hexadecimal digits; `name` is the setting an error names."""
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != KEY_BYTES:
        raise ImproperlyConfigured(f"{name} needs {KEY_BYTES * 2} hexadecimal digits.")
    return value


def field_keys(text: str) -> dict[str, bytes]:
    """`id:hex,id:hex` to keys by id; the first one encrypts, the others still decrypt."""
    found = {}
    for entry in text.split(","):
        key_id, _, digits = entry.strip().partition(":")
        if not key_id or len(key_id.encode()) > KEY_ID_BYTES:
            raise ImproperlyConfigured(
                f"FAIRPLACE_FIELD_KEYS is a list `id:key,id:key`, an id has 1 to {KEY_ID_BYTES} "
                "letters."
            )
        found[key_id] = key("FAIRPLACE_FIELD_KEYS", digits)
    return found


def signing_key() -> str:
    """A new RSA key in PEM, with which tokens of the identity provider are signed."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def local(var_dir: Path) -> dict[str, object]:
    """The settings of every key, made once and kept under `var_dir`."""
    folder = var_dir / "secrets"
    return {
        "SECRET_KEY": secret_files.kept(folder, "secret-key"),
        "CONTEXT_KEY": key("context-key", secret_files.kept(folder, "context-key")),
        "FIELD_KEYS": {"k1": key("field-key", secret_files.kept(folder, "field-key"))},
        "BLIND_INDEX_KEY": key("blind-index-key", secret_files.kept(folder, "blind-index-key")),
        "CERTIFICATE_KEY": key("certificate-key", secret_files.kept(folder, "certificate-key")),
        "IDP_OIDC_PRIVATE_KEY": secret_files.kept(folder, "oidc-key.pem", signing_key),
    }
