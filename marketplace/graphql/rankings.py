"""Rankings over GraphQL: the bank reads its panel, an agency itself and the field without names."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from marketplace import selectors
from marketplace.models import RankingCut
from marketplace.services import rankings

MAY_READ = (
    policies.VENDOR_MANAGERS
    | policies.COMPLIANCE_OFFICERS
    | policies.AUDITORS
    | policies.AGENCY_ADMINISTRATORS
    | policies.MACHINE_CLIENTS
)


class RankingSegment(types.Value):
    """An agency's loans of one stratum."""

    class Meta:
        allow = MAY_READ

    stratum = graphene.String(required=True, description="Its bands in the policy's order.")
    loan_months = graphene.Float(required=True, description="Months of 30 days.")
    payers = graphene.Int(required=True, description="Loan-months that paid.")
    expected_payers = graphene.Float(required=True)
    observed_minor = scalars.MinorUnits(required=True)
    expected_minor = scalars.MinorUnits(required=True)


class RankingScore(types.Value):
    """One agency in a ranking. Ratios are to the average agency on the same loans, which has 1."""

    class Meta:
        allow = MAY_READ

    id = graphene.ID(required=True)
    agency_id = graphene.ID(required=True)
    agency_name = graphene.String(required=True)
    status = graphene.String(
        required=True, description="ranked, provisional, too_little or barred by its conduct."
    )
    position = graphene.Int(
        description="One more than how many stand in tiers before it; null if it has no place, or "
        "for an agency in a field that is too small to be shown."
    )
    is_tied = graphene.Boolean(
        required=True, description="It shares its tier with others that cannot be told apart."
    )
    tier = graphene.Int()
    expected_rank = graphene.Float()
    rank_low = graphene.Int(description="With rankHigh, where its rank is with 90 %.")
    rank_high = graphene.Int()
    probability_top_quarter = graphene.Float()
    index = graphene.Float(
        required=True, description="Recovered ÷ expected, after what chance may have done."
    )
    low = graphene.Float(required=True, description="With high, the 95 % interval of the index.")
    high = graphene.Float(required=True)
    raw_index = graphene.Float(
        description="exposureFactor × mixFactor × observed ÷ expected, and that is countFactor × "
        "tiltFactor × sizeFactor. Null, as these, where expectedMinor is.",
    )
    exposure_factor = graphene.Float()
    mix_factor = graphene.Float()
    count_factor = graphene.Float()
    tilt_factor = graphene.Float()
    size_factor = graphene.Float()
    reliability = graphene.Float(required=True)
    comparison_group = graphene.Int(
        required=True, description="Agencies of different groups share no loans of a kind."
    )
    loans = graphene.Int(required=True)
    placed_minor = scalars.MinorUnits(required=True)
    recovered_minor = scalars.MinorUnits(
        required=True, description="Confirmed money of exposed days less reversals."
    )
    observed_minor = scalars.MinorUnits(
        required=True, description="The same without what the cap on one loan's cash leaves out."
    )
    expected_minor = scalars.MinorUnits(
        description="Null for an agency in a field that is too small to be shown."
    )
    rate_ppm = graphene.Int(required=True, description="Raw: recovered ÷ placed.")
    light = graphene.String(required=True, description="Gate of conduct: green, amber or red.")
    complaints_received = graphene.Int(required=True)
    complaints_upheld = graphene.Int(
        required=True, description="Upheld, and the agency's own doing."
    )
    segments = graphene.List(graphene.NonNull(RankingSegment), required=True)

    def resolve_agency_name(root, info):
        return root.agency.name


class RankingPoint(types.Value):
    """One agency of the field, without its name."""

    class Meta:
        allow = MAY_READ

    index = graphene.Float(required=True)
    low = graphene.Float(required=True)
    high = graphene.Float(required=True)
    status = graphene.String(required=True)


class Ranking(types.Value):
    """What each agency achieved against what an average one would have on the same loans."""

    class Meta:
        allow = MAY_READ

    id = graphene.ID(required=True)
    institution_id = graphene.ID(required=True)
    institution_name = graphene.String(required=True)
    currency = graphene.String(required=True)
    portfolio_id = graphene.ID()
    product = graphene.String(required=True)
    starts_on = graphene.Date()
    ends_on = graphene.Date(description="The last day that counts.")
    watermark = scalars.DateTime(required=True, description="What was recorded before counts.")
    policy_version = graphene.Int(required=True)
    code_version = graphene.String(required=True)
    inputs_sha256 = graphene.String(required=True)
    results_sha256 = graphene.String(required=True)
    basis = graphene.String(
        required=True, description="What it is adjusted for; without random lots not for the rest."
    )
    scores = graphene.List(
        graphene.NonNull(RankingScore),
        required=True,
        description="Best first: the whole panel for the bank, an agency itself.",
    )
    field = graphene.List(
        graphene.NonNull(RankingPoint),
        required=True,
        description="Best first, without names; empty where somebody could be known in it.",
    )

    def resolve_id(root, info):
        return root.run.pk

    def resolve_institution_id(root, info):
        return root.run.institution_id

    def resolve_institution_name(root, info):
        return root.run.institution.name

    def resolve_currency(root, info):
        return root.run.currency

    def resolve_portfolio_id(root, info):
        return root.run.portfolio_id

    def resolve_product(root, info):
        return root.run.product

    def resolve_starts_on(root, info):
        return root.run.starts_on

    def resolve_ends_on(root, info):
        return root.run.ends_on

    def resolve_watermark(root, info):
        return root.run.watermark

    def resolve_policy_version(root, info):
        return root.run.policy.version

    def resolve_code_version(root, info):
        return root.run.code_version

    def resolve_inputs_sha256(root, info):
        return root.run.inputs_sha256

    def resolve_results_sha256(root, info):
        return root.run.results_sha256

    def resolve_basis(root, info):
        return root.run.fit["basis"]


class RankingCompute(mutations.Mutation):
    """Computes a ranking now; a sweep does so every night for the whole panel."""

    allow = policies.VENDOR_MANAGERS

    class Input:
        currency = graphene.String(required=True)
        portfolio_id = graphene.ID()
        product = graphene.String()
        starts_on = graphene.Date()
        ends_on = graphene.Date()

    ranking = graphene.Field(Ranking)

    @classmethod
    def perform(cls, info, actor, currency, **given):
        cut = RankingCut(**given)
        rankings.compute(actor=actor, currency=currency, cut=cut)
        return cls(ranking=selectors.shown_ranking(actor, currency=currency, cut=cut))


class Query(graphene.ObjectType):
    ranking = queries.field(
        Ranking,
        allow=MAY_READ,
        currency=graphene.String(required=True),
        institution_id=graphene.ID(description="For an agency on several panels."),
        portfolio_id=graphene.ID(description="Of its loans alone; for the bank."),
        product=graphene.String(description="Of its loans alone; for the bank."),
        starts_on=graphene.Date(description="With endsOn, of these days alone; for the bank."),
        ends_on=graphene.Date(),
        description="The current one in a currency; null where there is none.",
    )
    ranking_pack = queries.field(
        graphene.String,
        allow=MAY_READ,
        score_id=graphene.ID(required=True),
        description="The cells behind a score as CSV, with what was expected of each.",
    )

    def resolve_ranking(root, info, currency, institution_id=None, **given):
        return selectors.shown_ranking(
            info.context.actor,
            currency=currency,
            institution_id=institution_id,
            cut=RankingCut(**given),
        )

    def resolve_ranking_pack(root, info, score_id):
        return selectors.pack_text(info.context.actor, score_id)


class Mutation(graphene.ObjectType):
    ranking_compute = RankingCompute.Field()
