"""The gateway: authentication, rate limits and micro-batches. Independent of HTTP."""
