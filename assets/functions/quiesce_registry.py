"""The model registry: versions that pipelines and people registered, and groups that no stack knows.

A group with a version in it is not deleted, and CloudFormation deletes none (facts on teardown, 1.16).
"""

from __future__ import annotations

from ours import Ours, counted


def empty_registry(ours: Ours) -> list[str]:
    """Delete all versions, then the groups made at run time; return what was there, in words. Raises ClientError."""
    sagemaker = ours.sagemaker
    packages, groups, refusal = [], [], ""
    for group in ours.listed(
        "list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupName", "ModelPackageGroupArn"
    ):
        name = group["ModelPackageGroupName"]
        pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=name)
        versions = [item["ModelPackageArn"] for page in pages for item in page["ModelPackageSummaryList"]]
        for arn in versions:
            refusal = ours.ask(sagemaker.delete_model_package, ModelPackageName=arn) or refusal
            packages.append(arn.split("model-package/", 1)[-1])
        if not versions and not ours.from_a_stack(group["ModelPackageGroupArn"]):
            ours.ask(sagemaker.delete_model_package_group_policy, ModelPackageGroupName=name)
            refusal = ours.ask(sagemaker.delete_model_package_group, ModelPackageGroupName=name) or refusal
            groups.append(name)
    for package in ours.listed(
        "list_model_packages",
        "ModelPackageSummaryList",
        "ModelPackageName",
        "ModelPackageArn",
        ModelPackageType="Unversioned",
    ):
        refusal = ours.ask(sagemaker.delete_model_package, ModelPackageName=package["ModelPackageArn"]) or refusal
        packages.append(package["ModelPackageName"])
    left = [counted("model package", packages, refusal), counted("model package group", groups, refusal)]
    return [text for text in left if text]
