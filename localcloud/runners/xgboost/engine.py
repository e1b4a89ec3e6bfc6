"""XGBoost without its optional halves.

`import xgboost` also imports pandas and scikit-learn when they are installed: 1.5 s and 90 MB that a train or a
serve process of the built-in algorithm has no use for. Declared missing, XGBoost does without.
"""

import sys
from typing import Any

for _name in ("pandas", "sklearn", "pyarrow"):
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type]  # None makes `import` raise ImportError

import xgboost  # noqa: E402 - only after the lines above

Booster: Any = xgboost.Booster
DMatrix: Any = xgboost.DMatrix
TrainingCallback: Any = xgboost.callback.TrainingCallback
train: Any = xgboost.train
MODEL_NAME = "xgboost-model"
