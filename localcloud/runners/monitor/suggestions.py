"""constraints.json of a data quality baseline (developer guide, model-monitor-byoc-constraints.html).

Thresholds and methods are what real files say, not what the page's table calls the default.
"""

from collections.abc import Sequence
from typing import Any

import profiles
from profiles import Profile


def constraints(found: Sequence[Profile], drift_method: str) -> dict[str, Any]:
    """What the next data must be like to be like this."""
    return {
        "version": profiles.VERSION,
        "features": [_feature(profile) for profile in found],
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 1.0,
            "domain_content_threshold": 1.0,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": 0.1,
                "comparison_method": "Robust",
                "categorical_comparison_threshold": 0.1,
                "categorical_drift_method": drift_method,
            },
        },
    }


def _feature(profile: Profile) -> dict[str, Any]:
    feature = profile.feature
    suggested = {
        "name": feature["name"],
        "inferred_type": feature["inferred_type"],
        "completeness": profile.statistics["completeness"],
    }
    categories = profiles.categories(feature)
    if "numerical_statistics" in feature:
        suggested["num_constraints"] = {"is_non_negative": profile.statistics["min"] >= 0}
    elif categories:
        suggested["string_constraints"] = {"domains": list(categories)}
    return suggested
