"""Conditions against whatever is written and whatever the variables hold."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from cel_expr_python import cel
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.conditions import Condition, ConditionError, ConditionFailed, compile_condition
from ivr.conditions.verdict import verdict
from ivr.values import Kind, Value, fits

KINDS = {"b": Kind.AMOUNT, "t": Kind.TEXT, "u": Kind.TEXT, "n": Kind.NUMBER, "m": Kind.NUMBER, "v": Kind.YES_NO}
DECLARED = {
    "b": cel.Type.DOUBLE,
    "t": cel.Type.STRING,
    "u": cel.Type.STRING,
    "n": cel.Type.INT,
    "m": cel.Type.INT,
    "v": cel.Type.BOOL,
}
TYPES = {Kind.AMOUNT: "DOUBLE", Kind.TEXT: "STRING", Kind.NUMBER: "INT", Kind.YES_NO: "BOOL"}

numbers = st.sampled_from(["0", "1", "2", "3", "5", "-1", "n", "m", "size(t)", "n + 1", "m / n"])
amounts = st.sampled_from(["0.5", "1.0", "2.5", "-3.0", "b", "b * 2", "b / 0.0", "double(n)"])
texts = st.sampled_from(['"a"', '"b"', '"ab"', '""', "t", "u", "t + u", "string(n)"])


def _compared(sides: st.SearchStrategy[str], signs: str) -> st.SearchStrategy[str]:
    return st.tuples(sides, st.sampled_from(signs.split()), sides).map(" ".join)


atoms = st.one_of(
    st.sampled_from(["v", "true", "false", 't in ["a", "b"]', "n in [1, 2.5]", "size(t) > 1", "m / 0 == 1"]),
    _compared(st.one_of(numbers, amounts), "== != < <= > >="),
    _compared(texts, "== != < <= > >="),
    st.tuples(texts, st.sampled_from(["startsWith", "endsWith", "contains"]), texts).map(
        lambda p: f"({p[0]}).{p[1]}({p[2]})"
    ),
)
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        _compared(inner.map("({})".format), "&& ||"),
        inner.map("!({})".format),
        st.tuples(inner, inner, inner).map("({0[0]}) ? ({0[1]}) : ({0[2]})".format),
    ),
    max_leaves=5,
)
whole = st.one_of(st.integers(-4, 6), st.sampled_from([2**63 - 1, -(2**63)]))
some_values = st.fixed_dictionaries(
    {
        "b": st.one_of(st.sampled_from([0.0, 0.5, 1.0, 2.5, -3.0, 5e-324, 1e308]), st.floats(-4, 4)),
        "t": st.text("ab\0c", max_size=3),
        "u": st.text("ab\0c", max_size=3),
        "n": whole,
        "m": whole,
        "v": st.booleans(),
    }
)
anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just("\ud800"), st.just(10**400), st.binary()
)


def _answer(condition: Condition, values: Mapping[str, Value]) -> Value | None:
    try:
        return condition.value(values)
    except ConditionFailed:
        return None


@settings(max_examples=100, deadline=None)
@given(conditions, st.lists(some_values, min_size=5, max_size=12))
def test_a_verdict_is_never_wrong(text: str, tried: list[dict[str, Value]]) -> None:
    condition = compile_condition(text, KINDS)
    same = verdict(condition)
    for values in tried:
        answer = _answer(condition, values)
        assert same is None or answer is None or answer is same, (text, values)


@settings(max_examples=100, deadline=None)
@given(conditions, st.lists(some_values, min_size=1, max_size=6))
def test_a_verdict_on_known_values_is_never_wrong(text: str, tried: list[dict[str, Value]]) -> None:
    condition = compile_condition(text, KINDS)
    same = verdict(condition, {name: [values[name] for values in tried] for name in ("t", "n")})
    for values in tried:
        answer = _answer(condition, values)
        assert same is None or answer is None or answer is same, (text, values)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.one_of(atoms, numbers, amounts, texts), min_size=2, max_size=3),
    st.sampled_from(["&&", "||", "==", "<", "+", "-", "*", "/", "%", "in", "?:", "!", "neg"]),
)
def test_what_we_accept_the_librarys_own_checker_accepts(parts: list[str], sign: str) -> None:
    """Ours is stricter; more generous it is only where whole numbers and amounts meet."""
    sides = [f"({part})" for part in parts]
    text = {
        "?:": f"{sides[0]} ? {sides[-1]} : {sides[1]}",
        "!": f"!{sides[0]}",
        "neg": f"-{sides[0]}",
        "in": f"{sides[0]} in [{sides[1]}]",
    }.get(sign, f" {sign} ".join(sides))
    try:
        kind = compile_condition(text, KINDS, None).kind
    except ConditionError:
        return
    try:
        checked = cel.NewEnv(variables=DECLARED).compile(text).return_type().name()
    except RuntimeError as error:
        checked = str(error)
    if "ERROR" in checked:
        assert re.search(r"applied to '.*(int.*double|double.*int)", checked), (text, checked)
    else:
        assert checked == TYPES[kind], text


@settings(max_examples=100, deadline=None)
@given(st.one_of(conditions, numbers, amounts, texts), st.dictionaries(st.sampled_from(list(KINDS)), anything))
def test_it_ends_in_a_value_of_its_kind_or_fails(text: str, values: dict[str, Value]) -> None:
    condition = compile_condition(text, KINDS, None)
    answer = _answer(condition, values)
    if answer is not None:
        assert fits(answer, condition.kind)
        assert not isinstance(answer, float) or math.isfinite(answer)


WORDS = """n t b v "a" 'b' 1 2.5 0x1f 1e400 1u null == != < > <= >= && || ! ? : + - * / % in ( ) [ ] { } , . ; = & | //
\\ "\\u0041" "\\ 🙂 size matches startsWith has all exists map int double string timestamp _ ` r"(" .n n.t"""
words = st.sampled_from([*WORDS.split(), "\n", "\t"])


@settings(max_examples=150, deadline=2000)
@given(
    st.one_of(
        st.lists(words, max_size=40).map(" ".join), st.lists(words, max_size=20).map("".join), st.text(max_size=60)
    )
)
def test_any_text_is_a_condition_or_refused_at_a_place(text: str) -> None:
    try:
        condition = compile_condition(text, KINDS, None)
    except ConditionError as error:
        refused = error
    else:
        verdict(condition)
        _answer(condition, {})
        return
    assert 1 <= refused.column <= len(text) + 1
    assert str(refused)
