"""People. Each belongs to one institution or to one agency, in one role."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class Role(models.TextChoices):
    ADMINISTRATOR = "administrator", _("Administrator")
    VENDOR_MANAGER = "vendor_manager", _("Vendor manager")
    COMPLIANCE_OFFICER = "compliance_officer", _("Compliance officer")
    FINANCE_PREPARER = "finance_preparer", _("Finance preparer")
    FINANCE_APPROVER = "finance_approver", _("Finance approver")
    AUDITOR = "auditor", _("Auditor")
    AGENCY_ADMINISTRATOR = "agency_administrator", _("Agency administrator")
    COLLECTOR = "collector", _("Collector")


AGENCY_ROLES = (Role.AGENCY_ADMINISTRATOR, Role.COLLECTOR)
INSTITUTION_ROLES = tuple(role for role in Role if role not in AGENCY_ROLES)


class UserManager(BaseUserManager):
    def get_by_natural_key(self, username):
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in with an e-mail address. There is no superuser."""

    id = ids.primary_key()
    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=24, choices=Role)
    institution = models.ForeignKey(
        "agencies.Institution",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    agency = models.ForeignKey(
        "agencies.Agency",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    # Rights come from the role alone; the column exists because Django's mixin brings it.
    is_superuser = models.BooleanField(default=False, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="user_belongs_where_the_role_says",
                condition=models.Q(
                    institution__isnull=False,
                    agency__isnull=True,
                    role__in=[role.value for role in INSTITUTION_ROLES],
                )
                | models.Q(
                    institution__isnull=True,
                    agency__isnull=False,
                    role__in=[role.value for role in AGENCY_ROLES],
                ),
            ),
            models.CheckConstraint(
                name="user_is_never_superuser", condition=models.Q(is_superuser=False)
            ),
        ]

    def __str__(self):
        return self.name or self.email
