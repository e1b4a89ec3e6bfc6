"""Data: lost, orphaned, kept, and what a destroy takes with it."""

from __future__ import annotations

from tests.operations.review.corpus.pair import Pair, Templates
from tests.operations.review.corpus.world import BASE, GUARD, STUDIO, WORK, bucket, emptied, resource


def _notebook_replaced(templates: Templates) -> None:
    templates[STUDIO]["Resources"]["Notebook"]["Properties"]["DirectInternetAccess"] = "Disabled"


def _auth_mode(templates: Templates) -> None:
    templates[STUDIO]["Resources"]["Domain"]["Properties"]["AuthMode"] = "SSO"


def _bucket_named(templates: Templates) -> None:
    templates[WORK]["Resources"]["Own"]["Properties"]["BucketName"] = "demo-own"


def _own_bucket(templates: Templates) -> None:
    templates[WORK]["Resources"] |= {"Own": bucket(), "OwnContents": emptied("Own")}


def _bucket_deleted(templates: Templates) -> None:
    del templates[WORK]["Resources"]["Own"], templates[WORK]["Resources"]["OwnContents"]


def _bucket_renamed(templates: Templates) -> None:
    found = templates[WORK]["Resources"]
    del found["Own"], found["OwnContents"]
    found |= {"Mine": bucket(), "MineContents": emptied("Mine")}


def _kept_bucket_deleted(templates: Templates) -> None:
    del templates[BASE]["Resources"]["Archive"]


def _files_replaced(templates: Templates) -> None:
    templates[BASE]["Resources"]["Files"]["Properties"]["Encrypted"] = False


def _keeps_while_replacing(templates: Templates) -> None:
    one = templates[STUDIO]["Resources"]["Notebook"]
    one["Properties"]["DirectInternetAccess"] = "Disabled"
    one |= {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def _retention_dropped(templates: Templates) -> None:
    one = templates[BASE]["Resources"]["Files"]
    one |= {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}


def _retention_added(templates: Templates) -> None:
    templates[BASE]["Resources"]["Data"] |= {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def _key(templates: Templates) -> None:
    templates[GUARD]["Resources"]["Key"] = resource("AWS::KMS::Key", keep="Retain", KeyPolicy={"Statement": []})


def _full_bucket(templates: Templates) -> None:
    templates[WORK]["Resources"]["Own"] = bucket()


def _emptier_removed(templates: Templates) -> None:
    del templates[WORK]["Resources"]["OwnContents"]


def _janitor_removed(templates: Templates) -> None:
    del templates[STUDIO]["Resources"]["DomainDelete"]


def _profile_removed(templates: Templates) -> None:
    del templates[STUDIO]["Resources"]["Profile"]


def _logs_removed(templates: Templates) -> None:
    del templates[WORK]["Resources"]["FunctionLogs"]


def _database(templates: Templates) -> None:
    templates[BASE]["Resources"]["Rows"] = resource("AWS::RDS::DBCluster", Engine="aurora-postgresql")


def _database_removed(templates: Templates) -> None:
    del templates[BASE]["Resources"]["Rows"]


def _unknown(templates: Templates) -> None:
    templates[BASE]["Resources"]["Future"] = resource("AWS::Future::Store", Size=1)


def _unknown_changed(templates: Templates) -> None:
    templates[BASE]["Resources"]["Future"]["Properties"]["Size"] = 2


def _unknown_removed(templates: Templates) -> None:
    del templates[BASE]["Resources"]["Future"]


def _ecr(templates: Templates) -> None:
    templates[BASE]["Resources"]["Images"] = resource("AWS::ECR::Repository", keep="Delete")


PAIRS = (
    Pair(
        "notebook replaced",
        _notebook_replaced,
        "blocked",
        frozenset({"data-lost Notebook"}),
        {"demo-studio/Notebook": "replace", "demo-studio/NotebookRest": "update"},
        says=("files on its volume are lost",),
    ),
    Pair(
        "domain auth mode",
        _auth_mode,
        "blocked",
        frozenset({"data-lost Domain", "data-lost Profile"}),
        {"demo-studio/Domain": "replace", "demo-studio/Profile": "replace", "demo-studio/DomainDelete": "update"},
        says=("because Domain is replaced",),
    ),
    Pair(
        "bucket gets a name",
        _bucket_named,
        "blocked",
        frozenset({"data-lost Own"}),
        {"demo-workload/Own": "replace"},
        base=_own_bucket,
    ),
    Pair(
        "bucket deleted",
        _bucket_deleted,
        "blocked",
        frozenset({"data-lost Own"}),
        {"demo-workload/Own": "delete"},
        base=_own_bucket,
    ),
    Pair(
        "bucket renamed in code only",
        _bucket_renamed,
        "blocked",
        frozenset({"data-lost Mine"}),
        {"demo-workload/Mine": "moved"},
        base=_own_bucket,
        says=("made anew",),
    ),
    Pair("bucket that is kept, deleted", _kept_bucket_deleted, "look", acts={"demo-foundation/Archive": "delete"}),
    Pair(
        "file system replaced and kept",
        _files_replaced,
        "look",
        acts={"demo-foundation/Files": "replace"},
        only=True,
        says=("nothing uses any more",),
    ),
    Pair(
        "kept only by the template that replaces",
        _keeps_while_replacing,
        "blocked",
        frozenset({"data-lost Notebook", "not-destroyed Notebook"}),
    ),
    Pair(
        "retention dropped",
        _retention_dropped,
        "look",
        acts={"demo-foundation/Files": "none"},
        only=True,
        says=("was kept by a destroy", "`sandcastle destroy` also removes"),
    ),
    Pair(
        "retention added",
        _retention_added,
        "blocked",
        frozenset({"not-destroyed Data"}),
        {"demo-foundation/Data": "none"},
        only=True,
        says=("no longer removes",),
    ),
    Pair("key that stays", _key, "blocked", frozenset({"not-destroyed Key"})),
    Pair("bucket that nothing empties", _full_bucket, "blocked", frozenset({"not-destroyed Own"})),
    Pair("bucket that is emptied", _own_bucket, "clean"),
    Pair("emptier removed", _emptier_removed, "blocked", frozenset({"not-destroyed Own"}), base=_own_bucket),
    Pair("janitor removed", _janitor_removed, "blocked", frozenset({"not-destroyed Domain"})),
    Pair("profile removed", _profile_removed, "blocked", frozenset({"data-lost Profile"})),
    Pair("logs removed", _logs_removed, "look", acts={"demo-workload/FunctionLogs": "delete"}),
    Pair("database removed, with a snapshot", _database_removed, "look", base=_database),
    Pair(
        "unknown type changed",
        _unknown_changed,
        "blocked",
        frozenset({"data-unknown Future"}),
        {"demo-foundation/Future": "maybe-replace"},
        base=_unknown,
        says=("without a schema",),
    ),
    Pair("unknown type removed", _unknown_removed, "blocked", frozenset({"data-unknown Future"}), base=_unknown),
    Pair("unknown type added", _unknown, "clean", acts={"demo-foundation/Future": "create"}),
    Pair("repository that nothing empties", _ecr, "blocked", frozenset({"not-destroyed Images"})),
)
