"""The Batcomputer's page: the contract as a console."""
