import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.core.cursor import decode_cursor, encode_cursor
from inventory.core.problems import Problem


@given(text=st.text(), number=st.integers())
def test_values_come_back(text: str, number: int) -> None:
    assert decode_cursor(encode_cursor("name", text, number), "name", str, int) == (text, number)


@given(garbage=st.text(max_size=60))
def test_garbage_is_a_problem_and_no_crash(garbage: str) -> None:
    with pytest.raises(Problem, match="start again"):
        decode_cursor(garbage, "name", str, int)


@pytest.mark.parametrize("values", [("a",), ("a", "1"), (1, 1), ("a", True), ("a", 1, 1)])
def test_another_shape_is_a_problem(values: tuple[str | int, ...]) -> None:
    with pytest.raises(Problem):
        decode_cursor(encode_cursor("name", *values), "name", str, int)
