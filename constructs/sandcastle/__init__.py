"""The constructs that a sandcastle is built of. Import what you need from its module; importing this loads nothing."""
