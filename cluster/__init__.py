"""The command line, and what runs Quorum on this machine."""

import cluster.node.private_ray  # noqa: F401 — before anything here can import Ray
