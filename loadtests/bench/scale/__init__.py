"""How the cost of a decision grows with replicas, variants, customers and their history."""
