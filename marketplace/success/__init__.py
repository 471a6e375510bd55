"""How well agencies did: what each recovered against what an average one would have on its loans.

The method, by files: `book` (what goes in), `cells` (exposure, payers and cash by agency, stratum
and month), `fits` (what an average agency would have recovered), `factors` (how many pay, whether
the larger ones do, how much they pay), `dispersion` (how much chance there is in each),
`random_lots` (what unrecorded quality pulls), `shrinkage` (what is left of a figure when chance is
taken into account), `order` (who is before whom, and how sure that is), `standing` (who has a
place at all), `identity` (what the raw rate is made of), and `scores`, which puts them together.
Beside it stand `gate` (conduct, which shuts or opens and weighs nothing), `history` (a bank's own
files) and `table` (the scores as rows).

An index of 1.18 says: 1.18 times what an average agency would have recovered on the very same
loans over the very same months.
"""
