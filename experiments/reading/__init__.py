"""Reading an experiment from PostgreSQL: decisions, shadows and labels, in bounded memory."""
