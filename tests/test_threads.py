"""How many threads BLAS may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import openbook as ob
from openbook.errors import InputError


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    with threadpool_limits():
        yield


def test_the_number_of_threads_is_what_was_set() -> None:
    for number in (1, 2, 1):
        ob.set_num_threads(number)
        assert ob.get_num_threads() == number
        assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {number}


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "two"])
def test_what_is_no_number_of_threads(number: object) -> None:
    with pytest.raises(InputError, match="no number of threads"):
        ob.set_num_threads(number)
