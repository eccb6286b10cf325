"""What Quorum changes in Ray Serve beyond its documented settings.

Each change has a test that fails when a release changes what it relies on. `deployments.preload`
imports them.
"""
