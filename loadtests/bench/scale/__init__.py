"""How what a decision costs grows: with replicas, variants, customers and their history."""
