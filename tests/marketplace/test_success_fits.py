"""How sure a fit is of an agency: as if its cells' rates were known, or not at all."""

import numpy as np
import pytest

from marketplace.success import fits

AGENCIES = 5


def test_rates_that_others_make_are_as_good_as_known():
    exposure = np.full((AGENCIES, 4), 100.0)
    fit = fits.two_way(exposure / 10, exposure)
    assert fit.inflation.tolist() == [1.0] * AGENCIES


def test_who_stands_all_but_alone_in_its_cells_is_unsure_and_the_others_are_not():
    exposure = np.full((AGENCIES, 4), 100.0)
    exposure[0] = [1, 0, 0, 400]
    exposure[1:, 3] = 0
    exposure[1, 3] = 1
    fit = fits.two_way(exposure / 10, exposure)
    assert fit.group.tolist() == [0] * AGENCIES
    # Two loans in four hundred are what it can be compared by.
    assert fit.inflation[0] > 50
    assert fit.inflation[1:].max() < 10
    # Nothing in common is another group, and nothing to be unsure of within it.
    exposure[0, 0] = exposure[1, 3] = 0
    apart = fits.two_way(exposure / 10, exposure)
    assert len(set(apart.group)) == 2
    assert apart.inflation[0] == pytest.approx(1)


def test_small_books_ask_by_stratum():
    exposure = np.full((AGENCIES, 4, 6), 20.0)
    coarse = np.zeros(4, dtype=int)
    even = fits.three_margins(exposure / 10, exposure, coarse)
    assert even.inflation.tolist() == [1.0] * AGENCIES
    exposure[0, :3] = 0
    exposure[1:, 3] = 0
    exposure[0, 0, 0] = exposure[1, 3, 0] = 1
    alone = fits.three_margins(exposure / 10, exposure, coarse)
    assert alone.inflation[0] > 10
