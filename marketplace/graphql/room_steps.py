"""What is done in a bidders' room over GraphQL."""

import graphene

from agencies import policies
from config.graphql import mutations
from marketplace.graphql.listings import Listing, shown
from marketplace.graphql.rooms import ListingAnswer, ListingQuestion
from marketplace.services import questions, terms


class ListingTermsAccept(mutations.Mutation):
    """Accepts the terms of a listing for yourself; an administrator's acceptance counts for the
    agency's machine clients too. `sha256` is that of the text you have read."""

    allow = policies.AGENCY_PEOPLE

    class Input:
        listing_id = graphene.ID(required=True)
        sha256 = graphene.String(required=True)

    listing = graphene.Field(Listing)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(listing=shown(info, terms.accept(actor=actor, **given)))


class ListingTermsChange(mutations.Mutation):
    """Sets another text, which everybody has to accept anew."""

    allow = policies.VENDOR_MANAGERS

    class Input:
        listing_id = graphene.ID(required=True)
        terms = graphene.String(required=True)

    listing = graphene.Field(Listing)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(listing=shown(info, terms.change(actor=actor, **given)))


class ListingQuestionAsk(mutations.Mutation):
    """Asks the bank something about a listing; it does not learn who asks."""

    allow = questions.MAY_ASK

    class Input:
        listing_id = graphene.ID(required=True)
        text = graphene.String(required=True)

    question = graphene.Field(ListingQuestion)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(question=questions.ask(actor=actor, **given))


class ListingQuestionAnswer(mutations.Mutation):
    """Writes the answer to a question; bidders read it when the answers are published.

    `shownQuestion` replaces the bidder's words where they would give it away.
    """

    allow = policies.VENDOR_MANAGERS

    class Input:
        question_id = graphene.ID(required=True)
        text = graphene.String(required=True)
        shown_question = graphene.String()

    answer = graphene.Field(ListingAnswer)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(answer=questions.answer(actor=actor, **given))


class ListingAnswersPublish(mutations.Mutation):
    """Shows all answers that are written to all bidders, at one instant."""

    allow = policies.VENDOR_MANAGERS

    class Input:
        listing_id = graphene.ID(required=True)

    published = graphene.Int(description="How many answers.")

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(published=questions.publish(actor=actor, **given))


class Mutation(graphene.ObjectType):
    listing_terms_accept = ListingTermsAccept.Field()
    listing_terms_change = ListingTermsChange.Field()
    listing_question_ask = ListingQuestionAsk.Field()
    listing_question_answer = ListingQuestionAnswer.Field()
    listing_answers_publish = ListingAnswersPublish.Field()
