"""What a person does around an environment: the ``sandcastle`` command."""
