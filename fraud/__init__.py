"""The domain: payments, plans, votes, decisions, reasons and records. Plain Python and numpy."""
