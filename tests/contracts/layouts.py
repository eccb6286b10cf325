"""The TOML of small layouts."""

MINIMAL = """
name = "mine"
[columns]
transaction_id = "id"
customer_id = "card"
timestamp = "at"
amount = "value"
currency = { constant = "EUR" }
type = { constant = "purchase" }
"""
"""Required fields only."""

LABELLED = f"""{MINIMAL}[label]
column = "y"
delay_days = 1
"""
"""With a label that is known a day after the payment."""

TABLE = """
name = "own"
[columns]
transaction_id = { row_number = true, prefix = "o-" }
customer_id = { row_number = true, prefix = "o-" }
timestamp = { column = "at", unit = "minutes", base = "2026-01-01T00:00:00Z" }
amount = "amount"
currency = { constant = "EUR" }
type = { constant = "purchase" }
[label]
column = "bad"
"""
"""Of a table without entities. More keys of the label follow, then `[tabular]`."""
