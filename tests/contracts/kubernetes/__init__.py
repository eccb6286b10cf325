"""What tests of the manifests need: the tools, the rendered objects, an API server, containers."""
