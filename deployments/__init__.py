"""The deployments of Ray Serve: thin shells around the other packages."""
