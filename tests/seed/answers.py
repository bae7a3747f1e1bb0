"""Answers to operations that the emulator lacks, in the shape that AWS's API reference gives them.

The emulator writes them out by the API's own description, so only their content is ours. What differs between
accounts and regions is set with `put`; what is not set is what a fresh account would say.
"""

import datetime

from moto.awslambda import urls as lambda_urls
from moto.awslambda.responses import LambdaResponse
from moto.cloudtrail.responses import CloudTrailResponse
from moto.config.responses import ConfigResponse
from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response
from moto.guardduty import urls as guardduty_urls
from moto.guardduty.responses import GuardDutyResponse
from moto.iam.responses import IamResponse
from moto.rds.responses import RDSResponse

# (operation, region) to its answer; an empty region holds for all.
_set: dict = {}


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
    (IamResponse, "ListServiceSpecificCredentials"): {"ServiceSpecificCredentials": [], "IsTruncated": False},
    (IamResponse, "ListOrganizationsFeatures"): {"EnabledFeatures": []},
    (RDSResponse, "DescribePendingMaintenanceActions"): {"PendingMaintenanceActions": []},
    (CloudTrailResponse, "ListEventDataStores"): {"EventDataStores": []},
    (ConfigResponse, "DescribeConformancePacks"): {"ConformancePackDetails": []},
    (ConfigResponse, "DescribeConfigRuleEvaluationStatus"): {"ConfigRulesEvaluationStatus": []},
    (GuardDutyResponse, "ListMembers"): {"Members": []},
    (GuardDutyResponse, "ListPublishingDestinations"): {"Destinations": []},
    (GuardDutyResponse, "ListFilters"): {"FilterNames": []},
}


def apply() -> None:
    for (response, operation), fresh in FRESH.items():
        setattr(response, snake(operation), _answer(operation, fresh))
    ConfigResponse.describe_delivery_channel_status = _delivery_channel_status
    LambdaResponse.list_function_url_configs = _function_urls
    lambda_urls.url_paths[r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/urls/?$"] = LambdaResponse.dispatch
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


def _function_urls(self) -> ActionResult:
    """The one URL of a function, where it has one."""
    function = self.backend.get_function(self.path.split("/")[-2])
    return ActionResult({"FunctionUrlConfigs": [function.url_config.to_dict()] if function.url_config else []})
