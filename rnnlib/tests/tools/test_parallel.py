"""The same work for many arguments, spread over processes."""

import pytest

from rnnlib.tools.parallel import in_parallel


def test_results_come_in_order_and_the_bar_can_be_left_out(capfd):
    assert in_parallel(divmod, [(7, 2), (9, 4), (1, 5)], "division", jobs=2) == [(3, 1), (2, 1), (0, 1)]
    assert "division" in capfd.readouterr().err
    assert in_parallel(divmod, [(7, 2)], "division", jobs=1, progress=False) == [(3, 1)]
    assert "division" not in capfd.readouterr().err


@pytest.mark.parametrize("jobs", [0, -1])
def test_no_processes_are_not_all_of_them(jobs):
    with pytest.raises(ValueError, match=f"jobs must be at least 1, got {jobs}"):
        in_parallel(pow, [(2, 3)], "powers", jobs=jobs)


def test_nothing_to_do_is_told():
    with pytest.raises(ValueError, match="powers: there is nothing to do"):
        in_parallel(pow, [], "powers")
