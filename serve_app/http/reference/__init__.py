"""The API reference: the OpenAPI document and its page."""
