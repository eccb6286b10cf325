"""What clients reach: the gateway, and HTTP as one adapter over it."""
