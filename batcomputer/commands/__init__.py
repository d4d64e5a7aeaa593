"""What the ``batcomputer`` command does; each module has a function main(arguments)."""
