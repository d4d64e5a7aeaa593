"""The model server: from three pickles to an API, its documents and a log."""
