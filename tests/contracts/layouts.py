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
