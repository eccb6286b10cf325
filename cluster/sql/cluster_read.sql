-- What the nodes of this Quorum have in common.
SELECT cluster_id::text, head, facts FROM cluster
