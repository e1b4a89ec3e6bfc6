"""localcloud: an embedded AWS in one process, for the real CDK CLI, boto3 and Lambda code.

The product reaches it only through its command (``localcloud``) and HTTP, exactly as it reaches AWS.
"""

__version__ = "0.1.0"
