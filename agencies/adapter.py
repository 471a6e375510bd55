"""What django-allauth does our way: nobody signs up alone, mail goes out after the commit."""

import time

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from django.contrib.sites.shortcuts import get_current_site
from django.db import transaction


class AccountAdapter(DefaultAccountAdapter):
    """Accounts come by invitation; a person is known by the e-mail address it was sent to."""

    def is_open_for_signup(self, request) -> bool:
        return False

    def is_reauthentication_required(self, *, app: str, **kwargs) -> bool:
        """Not of somebody who gave the password minutes ago, when they logged in."""
        if not super().is_reauthentication_required(app=app, **kwargs):
            return False
        records = get_authentication_records(self.request, self.request.user)
        recent = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
        return not any(record["at"] > recent for record in records)

    def send_password_reset_mail(self, user, email, context) -> None:
        """Only to whoever has set a password before: an invitation is no account yet."""
        if user.has_usable_password():
            super().send_password_reset_mail(user, email, context)

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Written inside the view's transaction, sent when that has been committed."""
        about = {
            "request": self.request,
            "email": email,
            "current_site": get_current_site(self.request),
        }
        message = self.render_mail(template_prefix, email, about | context)
        transaction.on_commit(message.send, robust=True)
