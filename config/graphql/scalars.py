"""Scalars of our own, and what an identifier in an input becomes."""

import datetime
import functools
import uuid

import graphene
from django.db.models import Choices
from graphql import (
    GraphQLError,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    IntValueNode,
    StringValueNode,
)

BIGINT_MAX = 2**63 - 1
BIGINT_MIN = -(2**63)
PPM_MAX = 1_000_000
DIGITS_MAX = 20

NO_ROW = uuid.UUID(int=0)
"""The nil UUID, which no row has: a malformed identifier reads as one that does not exist."""


class _Whole(graphene.Scalar):
    """A whole number in a range; never text, a boolean or a number with a point."""

    class Meta:
        abstract = True

    smallest = BIGINT_MIN
    largest = BIGINT_MAX

    @classmethod
    def parse_value(cls, value):
        if type(value) is not int or not cls.smallest <= value <= cls.largest:
            raise GraphQLError(
                f"{cls.__name__} must be a whole number from {cls.smallest} to {cls.largest}."
            )
        return value

    serialize = parse_value

    @classmethod
    def parse_literal(cls, node, _variables=None):
        if not isinstance(node, IntValueNode) or len(node.value) > DIGITS_MAX:
            return cls.parse_value(None)
        return cls.parse_value(int(node.value))


class MinorUnits(_Whole):
    """An amount of money in the minor units of its currency, such as cents: 1299 is 12.99.

    A whole number of 64 bits. A number with a point, text or a boolean is refused.
    """


class RatePpm(_Whole):
    """A rate in parts per million, from 0 to 1000000: 125000 is 12.5 %."""

    smallest = 0
    largest = PPM_MAX


class DateTime(graphene.Scalar):
    """A moment in ISO 8601 with its offset from UTC, such as `2026-03-01T09:30:00+08:00`.

    Answers are in UTC. A moment without an offset is refused: it could be any of 24 hours.
    """

    @staticmethod
    def serialize(value):
        if not isinstance(value, datetime.datetime) or value.utcoffset() is None:
            raise GraphQLError("DateTime must have an offset from UTC.")
        return value.astimezone(datetime.UTC).isoformat()

    @staticmethod
    def parse_value(value):
        try:
            moment = datetime.datetime.fromisoformat(value)
            if moment.utcoffset() is not None:
                return moment.astimezone(datetime.UTC)
        except (TypeError, ValueError, OverflowError):
            pass
        raise GraphQLError(
            "DateTime must be a moment in ISO 8601 with an offset from UTC,"
            " such as 2026-03-01T09:30:00+08:00."
        )

    @classmethod
    def parse_literal(cls, node, _variables=None):
        return cls.parse_value(node.value if isinstance(node, StringValueNode) else None)


@functools.cache
def choices(enumeration: type[Choices], name: str) -> type[graphene.Enum]:
    """The GraphQL enumeration `name` of a model's `TextChoices`; the same one each time.

    A resolver receives a member of `enumeration`, which is also the stored text.
    """

    def description(member):
        return str(member.label) if member else None

    return graphene.Enum.from_enum(enumeration, name=name, description=description)


def _parsed(kind, value):
    """`value` of the GraphQL input type `kind` as plain data, each `ID` in it as a UUID."""
    if value is None:
        return None
    if isinstance(kind, GraphQLNonNull):
        return _parsed(kind.of_type, value)
    if isinstance(kind, GraphQLList):
        return [_parsed(kind.of_type, item) for item in value]
    if isinstance(kind, GraphQLInputObjectType):
        types = {field.out_name or name: field.type for name, field in kind.fields.items()}
        return {name: _parsed(types[name], item) for name, item in value.items()}
    if kind is GraphQLID:
        try:
            return uuid.UUID(value)
        except ValueError:
            return NO_ROW
    return value


def plain_arguments(info, arguments: dict) -> dict:
    """The arguments of the field being resolved as plain data, each `ID` as a UUID.

    A malformed identifier becomes `NO_ROW`, so that it takes the way of one that is not there.
    """
    declared = info.parent_type.fields[info.field_name].args
    types = {argument.out_name or name: argument.type for name, argument in declared.items()}
    return {name: _parsed(types[name], value) for name, value in arguments.items()}
