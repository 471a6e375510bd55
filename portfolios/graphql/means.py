"""Success by means over GraphQL: the bank reads every agency, an agency itself."""

import graphene

from agencies import policies
from config.graphql import queries, scalars, types
from portfolios import selectors
from portfolios.selectors import coverage, means

MAY_READ = (
    policies.VENDOR_MANAGERS
    | policies.COMPLIANCE_OFFICERS
    | policies.AUDITORS
    | policies.AGENCY_ADMINISTRATORS
    | policies.MACHINE_CLIENTS
)

MeansEnum = scalars.choices(means.Means, "Means")
LeaningEnum = scalars.choices(coverage.Leaning, "CoverageLeaning")


class Brought:
    """What was tried and what came of it."""

    means = graphene.Field(MeansEnum, required=True)
    tried_count = graphene.Int(required=True, description="Loans; of NONE there are none.")
    tried_minor = scalars.MinorUnits(required=True, description="What they owed at placement.")
    paid_count = graphene.Int(required=True, description="Loans that paid on it.")
    recovered_minor = scalars.MinorUnits(required=True, description="Confirmed, less reversals.")
    rate_ppm = graphene.Int(
        description="Recovered ÷ tried; null where nothing was tried. It may exceed 1,000,000."
    )


class MeansBrought(Brought, types.Value):
    """What one measure brought.

    A payment is put down to the last contact on its value date or in the 30 days before, while a
    plan of at least three promised days runs to the plan, and else to NONE.
    """

    class Meta:
        allow = MAY_READ


class StageBrought(Brought, types.Value):
    """What one measure brought on loans that were so many days past due at placement."""

    class Meta:
        allow = MAY_READ

    lower_days = graphene.Int(required=True, description="From.")
    upper_days = graphene.Int(description="Below; null without a limit.")


class PromiseKeeping(types.Value):
    """Promises: kept with confirmed money from the day they were logged to 3 days after they were
    due. Plans: promises of one spell with at least three different due days."""

    class Meta:
        allow = MAY_READ

    kept_count = graphene.Int(required=True)
    broken_count = graphene.Int(required=True)
    open_count = graphene.Int(required=True)
    lapsed_count = graphene.Int(required=True, description="The spell was over before.")
    kept_ppm = scalars.RatePpm(description="Of kept and broken.")
    plan_count = graphene.Int(required=True, description="Plans that were signed.")
    due_after_three_count = graphene.Int(
        required=True, description="Plans of which three months have passed."
    )
    alive_after_three_count = graphene.Int(
        required=True, description="Those of them of which all due until then was kept."
    )
    due_after_six_count = graphene.Int(required=True)
    alive_after_six_count = graphene.Int(required=True)
    alive_after_three_ppm = scalars.RatePpm()
    alive_after_six_ppm = scalars.RatePpm()


class LoanCoverage(types.Value):
    """How many of the loans that are held now, and not on hold, were contacted."""

    class Meta:
        allow = MAY_READ

    loan_count = graphene.Int(required=True)
    on_hold_count = graphene.Int(required=True, description="Left out of everything else.")
    short_count = graphene.Int(required=True, description="In the last 7 days.")
    long_count = graphene.Int(required=True, description="In the last 30 days.")
    short_ppm = scalars.RatePpm()
    long_ppm = scalars.RatePpm()
    longest_days = graphene.Int(description="How long the longest untouched one is.")
    upper_ppm = scalars.RatePpm(
        description="In the last 30 days, of the loans above the agency's median balance."
    )
    lower_ppm = scalars.RatePpm(description="The same of all others.")
    leaning = graphene.Field(LeaningEnum, required=True)


class MeansPart(types.Value):
    """The figures of one agency, or of all together."""

    class Meta:
        allow = MAY_READ

    agency_id = graphene.ID(description="Null for all together.")
    agency_name = graphene.String(description="Null for all together.")
    means = graphene.List(graphene.NonNull(MeansBrought), required=True)
    stages = graphene.List(
        graphene.NonNull(StageBrought),
        required=True,
        description="By measure and days past due at placement.",
    )
    keeping = graphene.Field(PromiseKeeping, required=True)
    coverage = graphene.Field(LoanCoverage, required=True)

    def resolve_means(part, info):
        return [_brought(one, figures) for one, figures in part.means.items()]

    def resolve_stages(part, info):
        rows = []
        for (one, stage), figures in part.stages.items():
            lower_days, upper_days = means.stage_limits(stage)
            row = {"lower_days": lower_days, "upper_days": upper_days}
            rows.append(_brought(one, figures) | row)
        return rows


class SuccessByMeans(types.Value):
    """What each measure brought, which promises and plans were kept, which loans are worked.

    Over the placements of one bank in one currency: all of them for the bank, those that are
    live for an agency.
    """

    class Meta:
        allow = MAY_READ

    institution_id = graphene.ID(required=True)
    institution_name = graphene.String(required=True)
    currency = graphene.String(required=True)
    as_of = graphene.Date(required=True, description="The bank's business day.")
    whole = graphene.Field(MeansPart, required=True)
    agencies = graphene.List(graphene.NonNull(MeansPart), required=True, description="By name.")

    def resolve_institution_id(found, info):
        return found.field.institution_id

    def resolve_institution_name(found, info):
        return found.field.institution_name

    def resolve_currency(found, info):
        return found.field.currency

    def resolve_as_of(found, info):
        return found.field.today


def _brought(one: means.Means, figures: means.Brought) -> dict:
    return {
        "means": one,
        "tried_count": figures.tried_count,
        "tried_minor": figures.tried_minor,
        "paid_count": figures.paid_count,
        "recovered_minor": figures.recovered_minor,
        "rate_ppm": figures.rate_ppm,
    }


class Query(graphene.ObjectType):
    success_by_means = queries.field(
        SuccessByMeans,
        allow=MAY_READ,
        currency=graphene.String(required=True),
        institution_id=graphene.ID(description="For an agency that works for several banks."),
        portfolio_id=graphene.ID(description="One portfolio alone."),
        description="Null where nothing is placed in the currency.",
    )

    def resolve_success_by_means(root, info, currency, institution_id=None, portfolio_id=None):
        return selectors.success_in(info.context.actor, currency, institution_id, portfolio_id)
