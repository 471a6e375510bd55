"""The conventions by which every chapter speaks GraphQL. Knows no model.

An author of a chapter needs `types` (what a thing looks like), `queries` (how it is read),
`mutations` (what can be done) and `scalars` (money, rates, moments). `config.schema` puts the
chapters together and `config.urls` serves them through `view`.
"""
