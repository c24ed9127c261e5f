"""When, in what order and for which quarter: all of Dagster is here, and nothing imports this package."""
