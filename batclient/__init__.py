"""The Batcomputer's pages: the console, made from a model's contract."""
