"""Every edit the search knows: pure functions from a site to sketches, by the kind of node."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from agent.repair.lang.base import Kind, Region
from agent.repair.proposal import Sketch
from agent.repair.source import Failure, Site, Source
from agent.repair.templates import (
    arguments,
    calls,
    combined,
    conditions,
    crashes,
    guards,
    guided,
    inserted,
    literals,
    members,
    moved,
    operators,
    removed,
    setting,
    texts,
    values,
)
from agent.repair.templates.likes import everywhere

Template = Callable[[Site], Iterator[Sketch]]

_CONDITIONS: Final = (
    operators.negated,
    operators.presence,
    conditions.extended,
    conditions.other_condition,
    removed.constant_condition,
)
_POSITIONS: Final = (operators.off_by_one, operators.with_sign)
_VALUES: Final = (
    crashes.absent_operand,
    crashes.converted,
    crashes.missing_wait,
    calls.wrapped,
    calls.indexed,
    calls.method_added,
    members.member_added,
    members.wrapped_as_elsewhere,
    members.called_as_elsewhere,
    members.other_value,
    members.or_empty,
    combined.with_other,
    combined.with_constant,
    combined.sliced_by,
    combined.name_instead,
)
_BINARY: Final = (
    operators.other_operator,
    operators.swapped_operands,
    operators.dropped_operand,
    conditions.regrouped,
)

TEMPLATES: Final[Mapping[Kind, tuple[Template, ...]]] = {
    Kind.NAME: (
        guided.undefined_name,
        guided.unbound_local,
        guided.missing_module,
        values.other_name,
        members.member_instead,
        calls.called,
        *_CONDITIONS,
        *_POSITIONS,
        *_VALUES,
    ),
    Kind.ATTRIBUTE: (
        guided.missing_member,
        crashes.absent_owner,
        values.other_member,
        values.owner_only,
        values.other_owner,
        members.owner_of_member,
        calls.called,
        *_CONDITIONS,
        *_POSITIONS,
        *_VALUES,
    ),
    Kind.CALL: (
        crashes.missing_default,
        crashes.wrong_count,
        guided.wrong_keyword,
        calls.swapped_arguments,
        calls.dropped_argument,
        calls.added_argument,
        calls.unwrapped,
        arguments.keyword_added,
        arguments.default_given,
        literals.class_added,
        combined.like_the_next,
        *_CONDITIONS,
        *_POSITIONS,
        *_VALUES,
    ),
    Kind.COMPARISON: (
        operators.other_operator,
        operators.swapped_operands,
        operators.truth,
        operators.negated,
        conditions.other_bound,
        conditions.extended,
        conditions.other_condition,
        removed.constant_condition,
    ),
    Kind.LOGIC: (
        *_BINARY,
        operators.negated,
        conditions.extended,
        conditions.present_or,
        removed.constant_condition,
    ),
    Kind.NEGATION: (operators.not_negated, conditions.extended, removed.constant_condition),
    Kind.ARITHMETIC: (
        crashes.divided_by_zero,
        *_BINARY,
        operators.off_by_one,
        operators.with_sign,
        calls.wrapped,
        members.wrapped_as_elsewhere,
        members.other_value,
        combined.with_other,
        combined.name_instead,
    ),
    Kind.SIGN: (operators.other_operator, operators.without_sign, operators.off_by_one),
    Kind.ASSIGNMENT: (
        operators.flipped_update,
        inserted.collected,
        combined.bounded,
        combined.other_target,
    ),
    Kind.UPDATE: (operators.other_operator,),
    Kind.INTEGER: (values.other_integer,),
    Kind.NUMBER: (values.other_number,),
    Kind.STRING: (
        crashes.other_prefix,
        values.other_string,
        texts.other_separator,
        texts.other_pattern,
        texts.other_field,
    ),
    Kind.TRUE: (values.flipped_constant, conditions.condition_for_constant),
    Kind.FALSE: (values.flipped_constant, conditions.condition_for_constant),
    Kind.NONE: (values.flipped_constant,),
    Kind.INDEX: (
        crashes.missing_key,
        crashes.index_too_far,
        calls.other_index,
        calls.unindexed,
        *_CONDITIONS,
        *_POSITIONS,
        *_VALUES,
    ),
    Kind.SLICE: (calls.other_slice,),
    Kind.CHOICE: (operators.chosen_branch,),
    Kind.CONTAINER: (
        calls.container_parts,
        literals.element_added,
        combined.with_element,
        literals.element_dropped,
        members.wrapped_as_elsewhere,
    ),
    Kind.RETURN: (calls.other_return, combined.joined_value, combined.condition_returned),
    Kind.JUMP: (operators.other_jump,),
    Kind.HANDLER: (guards.wider_handler, literals.caught_more),
    Kind.EXPRESSION: (
        operators.negated,
        calls.wrapped,
        conditions.extended,
        conditions.ungrouped,
        conditions.filtered,
    ),
}

ANYWHERE: Final[tuple[Template, ...]] = (calls.idiom,)
"""Drawn at every node, whatever its kind."""

STATEMENTS: Final[tuple[Template, ...]] = (
    guards.guard,
    guards.wider_handler_around,
    literals.other_error,
    arguments.parameter_default,
    inserted.guard_made,
    inserted.copied,
    setting.rebound,
    setting.taken_over,
    setting.assigned,
    setting.copied_for_another,
    setting.recorded,
    inserted.returned,
    inserted.kept,
    inserted.left_otherwise,
    inserted.assigned_instead,
    moved.moved,
    removed.statement_removed,
    removed.condition_removed,
    removed.decorator_removed,
    removed.decorator_copied,
)
"""Drawn once a statement, at its own node."""

HIGHEST_PRIOR: Final = 1.0
"""No template exceeds it; lets the search leave whole statements for later."""
HIGHEST_UNGUIDED: Final = 0.7
"""The same without an error message to go by."""


def drawn(source: Source, region: Region, failure: Failure | None) -> Iterator[Sketch]:
    """Yield every edit of one statement, in no order; equal ones may come twice.

    Nothing above the deepest tier of the language comes out.
    """
    for sketch in _of_statement(source, region, failure):
        if sketch.tier <= source.grammar.deepest_tier:
            yield sketch
            if source.grammar.deepest_tier > 1:
                yield from everywhere(source, region, sketch)


def _of_statement(source: Source, region: Region, failure: Failure | None) -> Iterator[Sketch]:
    kind = source.grammar.kind
    whole = Site(source, region.node, kind(region.node), failure)
    for template in STATEMENTS:
        yield from template(whole)
    for node in region.nodes:
        site = Site(source, node, kind(node), failure)
        for template in (*TEMPLATES.get(site.kind, ()), *ANYWHERE):
            yield from template(site)
