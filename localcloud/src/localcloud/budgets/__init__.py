"""AWS Budgets with spending and actions, on MiniStack's Budgets, which keeps budgets and notifications.

Start reading at ``service`` (the API). ``spend`` is what was spent, ``evaluation`` compares it with the budgets, tells
subscribers and starts actions, ``actions`` carries them out under their role.
"""

from __future__ import annotations


def install() -> None:
    """Put the service in MiniStack's place and add ``/_localcloud/spend``."""
    from localcloud import adapter, admin
    from localcloud.adapter import budget_store
    from localcloud.budgets.actions import Actions
    from localcloud.budgets.evaluation import Evaluation
    from localcloud.budgets.service import Budgets
    from localcloud.budgets.spend import Ledger
    from localcloud.clock import default_clock

    ledger = Ledger()
    actions = Actions(default_clock())
    evaluation = Evaluation(default_clock(), ledger, actions)
    service = Budgets(actions)

    def reset() -> None:
        for part in (ledger, actions, evaluation):
            part.reset()
        budget_store.reset()

    adapter.register_service(
        "budgets",
        service.handle,
        target_prefixes=["AWSBudgetServiceGateway"],
        host_patterns=[r"budgets\."],
        iam_namespace="budgets",
        iam_action=service.iam_action,
        resource_arn=service.resource_arn,
        reset=reset,
    )
    admin.register("spend", evaluation.spend, evaluation.report)
