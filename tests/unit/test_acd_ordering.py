"""The ordered set of ids under every line and every list of free agents."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acd.ordering import OrderedIds

IDS = st.sampled_from([f"id{n}" for n in range(12)])
STEPS = st.lists(st.tuples(st.booleans(), IDS, st.integers(0, 5)))


@given(STEPS)
def test_it_is_a_sorted_dictionary(steps: list[tuple[bool, str, int]]) -> None:
    ids, model = OrderedIds(), dict[str, tuple[float, ...]]()
    for add, item, key in steps:
        if add:
            ids.add(item, (float(key),))
            model[item] = (float(key),)
        else:
            ids.discard(item)
            model.pop(item, None)
    expected = sorted(model, key=lambda item: (model[item], item))
    assert list(ids) == expected
    assert len(ids) == len(model)
    assert all(item in ids for item in model)
    assert [ids.place(item) for item in expected] == list(range(len(expected)))
    assert ids.slice(1, 4) == expected[1:4]
    assert ids.first() == ((model[expected[0]], expected[0]) if expected else None)
