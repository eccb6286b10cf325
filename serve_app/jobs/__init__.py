"""The application `jobs`: bulk scoring over HTTP, apart from the path of decisions."""
