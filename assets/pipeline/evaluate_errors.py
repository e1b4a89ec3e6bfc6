"""What goes wrong when a model is judged."""


class EvaluationError(Exception):
    """The model cannot be judged; the text becomes the job's ExitMessage."""
