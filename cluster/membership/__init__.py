"""Several nodes as one Quorum: what they have in common, and how they join and leave."""
