"""`train` of the framework images: run the customer's script as AWS's training toolkit does.

Contract and texts: the open source of aws/sagemaker-training-toolkit (`trainer.py`, `entry_point.py`). The script's
folder comes from `sagemaker_submit_directory`, its name from `sagemaker_program`; everything else is handed on as
arguments and SM_ variables. SIGTERM ends this program and with it the script, as on AWS, where nothing forwards it.
"""

import errno
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))

import sagemaker_io
import script
import source
from log import log
from requirements import InstallRequirementsError, install
from training_environment import TrainingEnvironment


def run() -> None:
    """Fetch, install, run. Raises script.ScriptError and InstallRequirementsError, which are the customer's."""
    environment = TrainingEnvironment.read()
    if environment.program is None:
        raise ValueError("the hyperparameter sagemaker_program is missing: it names the script")
    if environment.unsupported:
        raise ValueError(f"[localcloud] {environment.unsupported} is not supported yet")
    code = sagemaker_io.BASE / "code"
    source.fetch(environment.submit_directory, code)
    kind = script.kind_of(code, environment.program)
    if kind == "program":
        install(code, log)
    elif kind == "package":
        script.install_package(code)
    script.run(kind, code, environment)


def main() -> None:
    """As the container: exit 0 and output/success, else 1 (or an errno) with the reason in output/failure."""
    try:
        run()
    except (script.ScriptError, InstallRequirementsError) as error:
        _report(str(error))
        sagemaker_io.fail(str(error), 1)
    except Exception as error:  # the toolkit's own trouble, by its own name
        text = f"Framework Error: \n{traceback.format_exc()}\n{error}"
        _report(text)
        code = getattr(error, "errno", None)
        sagemaker_io.fail(text, code if code in errno.errorcode else 1)
    log("Reporting training SUCCESS")
    (sagemaker_io.BASE / "output").mkdir(parents=True, exist_ok=True)
    (sagemaker_io.BASE / "output" / "success").touch()


def _report(text: str) -> None:
    log("Reporting training FAILURE", "ERROR")
    log(text, "ERROR")


if __name__ == "__main__":
    main()
