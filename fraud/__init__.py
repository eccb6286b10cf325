"""The domain: payments, plans, votes, decisions and why. Plain Python and numpy."""
