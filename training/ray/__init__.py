"""The Ray that training runs on."""
