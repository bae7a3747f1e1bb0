"""Answers to operations that the emulator lacks, in the shape that AWS's API reference gives them.

The emulator writes them out by the API's own description, so only their content is ours. What differs between
accounts and regions is set with `put`; what is not set is what a fresh account would say.
"""

import datetime
from urllib.parse import unquote

from moto.awslambda import urls as lambda_urls
from moto.awslambda.responses import LambdaResponse
from moto.backup import urls as backup_urls
from moto.backup.exceptions import ResourceNotFoundException
from moto.backup.responses import BackupResponse
from moto.cloudtrail.responses import CloudTrailResponse
from moto.config.responses import ConfigResponse
from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response
from moto.guardduty import urls as guardduty_urls
from moto.guardduty.responses import GuardDutyResponse
from moto.iam.responses import IamResponse
from moto.logs.models import LogGroup
from moto.logs.responses import LogsResponse
from moto.moto_server import werkzeug_app
from moto.rds.responses import RDSResponse
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response
from moto.ssm.responses import SimpleSystemManagerResponse
from services import OamResponse, SchemasResponse

# (operation, region) to its answer; an empty region holds for all.
_set: dict = {}


# The access policies of backup vaults, by their names.
_vault_policies: dict = {}


def vault_policy(vault: str, policy: str) -> None:
    _vault_policies[vault] = policy


# The data protection policies of log groups, by their names.
_data_protection: dict = {}


def data_protection(group: str, policy: str) -> None:
    _data_protection[group] = policy


def put(operation: str, answer: dict, region: str = "") -> None:
    _set[operation, region] = answer


FRESH = {
    (EC2Response, "GetSnapshotBlockPublicAccessState"): {"State": "unblocked", "ManagedBy": "account"},
    (EC2Response, "GetImageBlockPublicAccessState"): {"ImageBlockPublicAccessState": "block-new-sharing", "ManagedBy": "account"},
    (EC2Response, "GetInstanceMetadataDefaults"): {"AccountLevel": {"ManagedBy": "account"}},
    (EC2Response, "GetSerialConsoleAccessStatus"): {"SerialConsoleAccessEnabled": False, "ManagedBy": "account"},
    (EC2Response, "GetAllowedImagesSettings"): {"State": "disabled", "ImageCriteria": [], "ManagedBy": "account"},
    (EC2Response, "GetEbsDefaultKmsKeyId"): {"KmsKeyId": "alias/aws/ebs"},
    (EC2Response, "DescribeVpcBlockPublicAccessOptions"): {
        "VpcBlockPublicAccessOptions": {"State": "default-state", "InternetGatewayBlockMode": "off", "ManagedBy": "account"}
    },
    (EC2Response, "DescribeVpcBlockPublicAccessExclusions"): {"VpcBlockPublicAccessExclusions": []},
    (EC2Response, "DescribeClientVpnEndpoints"): {"ClientVpnEndpoints": []},
    (EC2Response, "DescribeClientVpnAuthorizationRules"): {"AuthorizationRules": []},
    (EC2Response, "DescribeSecurityGroupReferences"): {"SecurityGroupReferenceSet": []},
    (SimpleSystemManagerResponse, "DescribeInstanceInformation"): {"InstanceInformationList": []},
    (SimpleSystemManagerResponse, "ListResourceComplianceSummaries"): {"ResourceComplianceSummaryItems": []},
    (LogsResponse, "DescribeAccountPolicies"): {"accountPolicies": []},
    (LambdaResponse, "GetAccountSettings"): {
        "AccountLimit": {
            "TotalCodeSize": 80530636800, "CodeSizeUnzipped": 262144000, "CodeSizeZipped": 52428800,
            "ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000,
        },
        "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": 0},
    },
    (IamResponse, "ListServiceSpecificCredentials"): {"ServiceSpecificCredentials": [], "IsTruncated": False},
    (IamResponse, "ListOrganizationsFeatures"): {"EnabledFeatures": []},
    (RDSResponse, "DescribePendingMaintenanceActions"): {"PendingMaintenanceActions": []},
    (CloudTrailResponse, "ListEventDataStores"): {"EventDataStores": []},
    (CloudTrailResponse, "GetEventDataStore"): {},
    (ConfigResponse, "DescribeConformancePacks"): {"ConformancePackDetails": []},
    (ConfigResponse, "DescribeConfigRuleEvaluationStatus"): {"ConfigRulesEvaluationStatus": []},
    (GuardDutyResponse, "ListMembers"): {"Members": []},
    (GuardDutyResponse, "ListPublishingDestinations"): {"Destinations": []},
    (OamResponse, "ListLinks"): {"Items": []},
    (SchemasResponse, "ListRegistries"): {"Registries": []},
    (SchemasResponse, "GetResourcePolicy"): {},
}


def apply() -> None:
    for (response, operation), fresh in FRESH.items():
        setattr(response, snake(operation), _answer(operation, fresh))
    GuardDutyResponse.list_filters = _filters
    ConfigResponse.describe_delivery_channel_status = _delivery_channel_status
    LambdaResponse.list_function_url_configs = _function_urls
    lambda_urls.url_paths[r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/urls/?$"] = LambdaResponse.dispatch
    lambda_urls.url_paths["{0}/2016-08-19/account-settings/?$"] = LambdaResponse.dispatch
    _directory_buckets()
    LogsResponse.get_data_protection_policy = _data_protection_policy
    _log_groups()
    LambdaResponse.get_code_signing_config = _code_signing
    lambda_urls.url_paths[r"{0}/2020-04-22/code-signing-configs/(?P<arn>[^/]+)$"] = LambdaResponse.dispatch
    BackupResponse.get_backup_vault_access_policy = _vault_policy
    backup_urls.url_paths["{0}/backup-vaults/(?P<name>[^/]+)/access-policy$"] = BackupResponse.dispatch
    RDSResponse.describe_db_engine_versions = _engine_version
    RDSResponse.describe_db_major_engine_versions = _major_version
    for tail in ("member", "publishingDestination"):
        guardduty_urls.url_paths[f"{{0}}/detector/(?P<detector_id>[^/]+)/{tail}$"] = GuardDutyResponse.dispatch


def snake(operation: str) -> str:
    from moto.core.utils import camelcase_to_underscores

    return camelcase_to_underscores(operation)


def _answer(operation: str, fresh: dict):
    def answer(self) -> ActionResult:
        return ActionResult(_set.get((operation, self.region), _set.get((operation, ""), fresh)))

    answer.__name__ = snake(operation)
    return answer


def _filters(self) -> ActionResult:
    detector = self.guardduty_backend.get_detector(self.path.split("/")[-2])
    return ActionResult({"FilterNames": list(detector.filters)})


def _delivery_channel_status(self) -> ActionResult:
    """Every channel has delivered an hour ago."""
    hour_ago = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(hours=1)
    delivered = {"lastStatus": "SUCCESS", "lastAttemptTime": hour_ago, "lastSuccessfulTime": hour_ago}
    status = [
        {
            "name": name,
            "configHistoryDeliveryInfo": delivered,
            "configStreamDeliveryInfo": {"lastStatus": "SUCCESS", "lastStatusChangeTime": hour_ago},
        }
        for name in self.config_backend.delivery_channels
    ]
    return ActionResult({"DeliveryChannelsStatus": status})


# Engines and major versions that RDS supports, for longer than any test will run.
SUPPORTED = {("postgres", "17"), ("postgres", "16"), ("mysql", "8.4"), ("aurora-postgresql", "16"), ("aurora-postgresql", "17")}
FOREVER = datetime.datetime(2099, 12, 31, tzinfo=datetime.timezone.utc)


def _engine_version(self) -> ActionResult:
    engine, version = self._get_param("Engine"), self._get_param("EngineVersion")
    major = ".".join(version.split(".")[: 2 if engine == "mysql" else 1])
    status = "available" if (engine, major) in SUPPORTED else "deprecated"
    answer = {"Engine": engine, "EngineVersion": version, "MajorEngineVersion": major, "Status": status}
    if status != "available":
        newer = {"Engine": engine, "EngineVersion": f"{version}-rds.20990101", "IsMajorVersionUpgrade": False}
        answer["ValidUpgradeTarget"] = [{**newer, "AutoUpgrade": True, "Description": "the newest"}]
    return ActionResult({"DBEngineVersions": [answer]})


def _major_version(self) -> ActionResult:
    engine, major = self._get_param("Engine"), self._get_param("MajorEngineVersion")
    past = datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc)
    lifecycle = {
        "LifecycleSupportName": "open-source-rds-standard-support",
        "LifecycleSupportStartDate": datetime.datetime(2018, 1, 1, tzinfo=datetime.timezone.utc),
        "LifecycleSupportEndDate": FOREVER if (engine, major) in SUPPORTED else past,
    }
    answer = {"Engine": engine, "MajorEngineVersion": major, "SupportedEngineLifecycles": [lifecycle]}
    return ActionResult({"DBMajorEngineVersions": [answer]})


def _code_signing(self) -> ActionResult:
    arn = unquote(self.path.split("/")[-1])
    configuration = {
        "CodeSigningConfigId": arn.split(":")[-1],
        "CodeSigningConfigArn": arn,
        "AllowedPublishers": {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:111122223333:/signing-profiles/ci/a1b2c3d4e5"]},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"},
        "LastModified": "2026-01-05T12:00:00.000+0000",
    }
    return ActionResult({"CodeSigningConfig": configuration})


def _function_urls(self) -> ActionResult:
    """The one URL of a function, where it has one."""
    function = self.backend.get_function(self.path.split("/")[-2])
    return ActionResult({"FunctionUrlConfigs": [function.url_config.to_dict()] if function.url_config else []})


def _vault_policy(self) -> ActionResult:
    vault = self.path.split("/")[-2]
    if vault not in _vault_policies:
        raise ResourceNotFoundException("The vault has no access policy")
    arn = f"arn:aws:backup:{self.region}:{self.current_account}:backup-vault:{vault}"
    return ActionResult({"BackupVaultName": vault, "BackupVaultArn": arn, "Policy": _vault_policies[vault]})


def _data_protection_policy(self) -> ActionResult:
    group = self._get_param("logGroupIdentifier")
    return ActionResult({"logGroupIdentifier": group, "policyDocument": _data_protection[group]})


def _log_groups() -> None:
    """A log group says whether it has a data protection policy."""
    described = LogGroup.to_describe_dict

    def to_describe_dict(self):
        policy = {"dataProtectionStatus": "ACTIVATED"} if self.name in _data_protection else {}
        return {**described(self), **policy}

    LogGroup.to_describe_dict = to_describe_dict


def _directory_buckets() -> None:
    """Buckets whose names end so are listed at an endpoint of their own, which requests are signed for."""
    werkzeug_app.SIGNING_ALIASES["s3express"] = "s3"
    every_bucket, listed = S3Backend.list_buckets, S3Response.all_buckets

    def list_buckets(self, **named):
        return [b for b in every_bucket(self, **named) if not b.name.endswith(DIRECTORY)]

    def all_buckets(self):
        if "/s3express/" not in self.headers.get("Authorization", ""):
            return listed(self)
        self.data["Action"] = "ListDirectoryBuckets"
        buckets = [
            {
                "Name": b.name, "CreationDate": b.creation_date_ISO8601, "BucketRegion": b.region_name,
                "BucketArn": f"arn:aws:s3express:{b.region_name}:{self.current_account}:bucket/{b.name}",
            }
            for b in self.backend.buckets.values() if b.name.endswith(DIRECTORY) and b.region_name == self.region
        ]
        return self.serialized(ActionResult({"Buckets": buckets}))

    S3Backend.list_buckets, S3Response.all_buckets = list_buckets, all_buckets


DIRECTORY = "--x-s3"


def directory_bucket(account, name: str, *rules: dict, region: str = "us-east-1") -> None:
    backend = account.backend("s3")
    backend.create_bucket(name, region)
    if rules:
        backend.put_bucket_lifecycle(name, list(rules))
