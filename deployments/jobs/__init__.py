"""Jobs of bulk scoring on Ray: who runs them on each node, and where their work is done."""
