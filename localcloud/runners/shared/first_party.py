"""What AWS's own closed algorithms have in common when they train: log lines, exit codes, texts."""

import sys
import threading
import time
import traceback
from collections.abc import Callable

import sagemaker_io
from sagemaker_io import UserError

#: exit code by which they blame the caller: the job fails with ClientError
CUSTOMER_ERROR = 2
NO_DATA = (
    "No training data processed. Either the training channel is empty or the mini-batch size is too high. "
    "Verify that training data contains non-empty files and the mini-batch size is less than the number of "
    "records per training host."
)


def log(text: str, level: str = "INFO") -> None:
    """One line in the service's format: `[11/24/2020 18:53:56 INFO 140513285547840] ...`."""
    stamp = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime())
    sys.stdout.write(f"[{stamp} {level} {threading.get_ident()}] {text}\n")
    sys.stdout.flush()


def bad_hyperparameters(caused_by: str) -> UserError:
    """The text for hyperparameters that the algorithm's schema refuses."""
    return _refused("hyperparameters", caused_by)


def bad_configuration(caused_by: str) -> UserError:
    """The same for channels and their content types."""
    return _refused("input data configuration", caused_by)


def _refused(what: str, caused_by: str) -> UserError:
    return UserError(
        f"Unable to initialize the algorithm. Failed to validate {what}. (caused by ValidationError)\n\n"
        f"Caused by: {caused_by}"
    )


def main(run: Callable[[], None]) -> None:
    """As the container: exit 0, 2 when the caller can put it right, 1 when not; the reason in output/failure."""
    log("Docker entrypoint called with argument(s): train")
    try:
        run()
    except UserError as error:
        log(f"Customer Error: {error}", "ERROR")
        sagemaker_io.fail(str(error), CUSTOMER_ERROR)
    except Exception as error:
        traceback.print_exc()
        sagemaker_io.fail(f"Algorithm Error: {error} (caused by {type(error).__name__})", 1)
