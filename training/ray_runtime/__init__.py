"""The Ray cluster that training runs on."""
