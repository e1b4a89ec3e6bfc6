"""The errors by which a handler chooses the status of its reply."""


class UnsupportedFormatError(Exception):
    """A content type or accept type that no codec is for."""

    status: int | None = None
    """415 when a body came in it, 406 when a reply was to go out in it."""

    def __init__(self, content_type: str | None) -> None:
        super().__init__(
            f"Content type {content_type} is not supported by this framework.\n\n"
            "Please implement input_fn to deserialize the request data or an output_fn to serialize the response."
        )


class BaseInferenceToolkitError(Exception):
    """Ends a request with a status, a message for the caller and an HTTP reason phrase."""

    def __init__(self, status_code: int, message: str, phrase: str) -> None:
        self.status_code = status_code
        self.message = message
        self.phrase = phrase
        super().__init__(status_code, message, phrase)


class GenericInferenceToolkitError(BaseInferenceToolkitError):
    """The same with defaults."""

    def __init__(self, status_code: int, message: str | None = None, phrase: str | None = None) -> None:
        message = message or "Invalid Request"
        super().__init__(status_code, message, phrase or message)
