"""The ``batcomputer`` command's subcommands; each module has a function main(arguments)."""
