"""A security group's rules can be revoked as DescribeSecurityGroups shows them.

MiniStack shows the account of a group that a rule names and then compares it with its own record, which has none: the
revoke succeeds and the rule stays. AWS compares what the rule means.
"""

from __future__ import annotations

from typing import Any

from ministack.services import ec2

#: what Describe adds to the pair that a rule was made with
_SHOWN = ("UserId", "GroupName", "VpcId", "Description")


def install() -> None:
    """Wrap the comparison: it is looked up by name at each revoke."""
    before = ec2._rules_match

    def rules_match(one: dict[str, Any], other: dict[str, Any]) -> bool:
        return bool(before(_bare(one), _bare(other)))

    ec2._rules_match = rules_match


def _bare(rule: dict[str, Any]) -> dict[str, Any]:
    pairs = rule.get("UserIdGroupPairs") or []
    bare = [
        {name: value for name, value in pair.items() if name not in _SHOWN or "GroupId" not in pair}
        if isinstance(pair, dict)
        else pair
        for pair in pairs
    ]
    return {**rule, "UserIdGroupPairs": bare}
