"""The subcommands of ``sandcastle``, a module for each group; ``operations.cli`` puts them together."""
