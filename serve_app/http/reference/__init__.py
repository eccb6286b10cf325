"""The API reference: the OpenAPI document and its pages."""
