"""Makes the emulator say what AWS says, where it is known to say something else.

Only facts that AWS documents are corrected: what a new bucket has since January and April 2023, that the credential
report has a row for the root user, and which fields a row has. Answers to operations that the emulator lacks
altogether are recorded in `tests/recorded`.
"""

from moto.awslambda.policy import Policy as FunctionPolicy
from moto.cloudfront.models import Distribution, Origin, ViewerCertificate
from moto.cloudtrail.models import Trail, TrailStatus
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.ec2.models.elastic_block_store import EBSBackend
from moto.iam.models import IAMBackend, Policy, User
from moto.organizations.exceptions import AWSOrganizationsNotInUseException
from moto.organizations.models import OrganizationsBackend
from moto.s3.models import FakeBucket, PublicAccessBlock
from moto.s3control.responses import S3ControlResponse
from moto.sns.responses import SNSResponse
from moto.ssoadmin.models import SSOAdminBackend

DATE = "%Y-%m-%dT%H:%M:%S+00:00"


class Root:
    """The root user as the credential report and the account summary show it."""

    def __init__(self, mfa: bool, keys: list[tuple], created, password_last_used=None):
        self.mfa = mfa
        # (created, last used) of each active key.
        self.keys = keys
        self.created = created
        self.password_last_used = password_last_used


def set_root(account, root: Root) -> None:
    backend = account.backend("iam")
    backend.soc2scan_root = root
    backend.account_summary._account_mfa_enabled = int(root.mfa)
    backend.account_summary._account_access_keys_present = int(bool(root.keys))


def apply() -> None:
    _policies()
    _distributions()
    _feedback()
    _identity_center()
    _management_events()
    _delivery_to_logs()
    _snapshots_of_others()
    _bucket_defaults()
    _credential_report()
    _function_urls()
    _access_points()
    _accounts_alone()


# Those of AWS's thousand and more managed policies that anything here is attached to, and some that are not.
KEPT = {
    "AdministratorAccess", "AWSSupportAccess", "AmazonBedrockFullAccess", "AmazonRDSEnhancedMonitoringRole",
    "AmazonS3ReadOnlyAccess", "AWSBackupServiceRolePolicyForBackup", "AWSCloudShellFullAccess", "IAMFullAccess",
    "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit", "ViewOnlyAccess",
}


def _policies() -> None:
    """A few policies of AWS's own, or each listing takes seconds; and all with their use as a boundary."""
    made = IAMBackend._init_aws_policies
    IAMBackend._init_aws_policies = lambda self: [p for p in made(self) if p.name in KEPT]
    Policy.permissions_boundary_usage_count = 0


def _identity_center() -> None:
    """An account has no Identity Center instance until one is made."""
    made = SSOAdminBackend.__init__

    def init(self, *args, **kwargs):
        made(self, *args, **kwargs)
        self.instances = []

    SSOAdminBackend.__init__ = init


def _access_points() -> None:
    """An access point is of one region, and the emulator makes all of them in one."""
    listed = S3ControlResponse.list_access_points

    def list_access_points(self):
        return listed(self) if self.region == "us-east-1" else ActionResult({"AccessPointList": []})

    S3ControlResponse.list_access_points = list_access_points


def _function_urls() -> None:
    """The authentication of a function URL is a condition of the statement, not an element of it."""
    added = FunctionPolicy.add_statement

    def add_statement(self, raw, qualifier=None):
        statement, revision = added(self, raw, qualifier)
        kind = statement.pop("FunctionUrlAuthType", None)
        if kind:
            statement.setdefault("Condition", {}).setdefault("StringEquals", {})["lambda:FunctionUrlAuthType"] = kind
        return statement, revision

    FunctionPolicy.add_statement = add_statement


def _feedback() -> None:
    """Topics keep the roles that log their deliveries, and do not show them."""
    shown = SNSResponse.get_topic_attributes

    def get_topic_attributes(self):
        answer = shown(self)
        topic = self.backend.get_topic(self._get_param("TopicArn"))
        for protocol in ("HTTP", "SQS", "Lambda"):
            for kind in ("SuccessFeedbackRoleArn", "FailureFeedbackRoleArn"):
                kept = getattr(topic, camelcase_to_underscores(protocol + kind), None)
                if kept:
                    answer.result["Attributes"][protocol + kind] = kept
        return answer

    SNSResponse.get_topic_attributes = get_topic_attributes


def _distributions() -> None:
    """A listed distribution shows its configuration, and one with a certificate of its own has not CloudFront's."""

    def of_configuration(self, name: str):
        configuration = self.__dict__.get("distribution_config")
        if configuration is None or name.startswith("_"):
            raise AttributeError(name)
        return getattr(configuration, name)

    Distribution.__getattr__ = of_configuration
    made = ViewerCertificate.__init__

    def init(self, config):
        made(self, config)
        if self.acm_certificate_arn or self.iam_certificate_id:
            self.cloud_front_default_certificate = False

    ViewerCertificate.__init__ = init
    origin_made = Origin.__init__

    def origin_init(self, origin):
        origin_made(self, origin)
        if "S3OriginConfig" in origin:
            self.s3_origin_config = {"OriginAccessIdentity": self.s3_access_identity, "OriginReadTimeout": 30}

    Origin.__init__ = origin_init


def _management_events() -> None:
    """A new trail records all management events; the emulator shows no selectors until some are set."""
    made = Trail.__init__

    def init(self, *args, **kwargs):
        made(self, *args, **kwargs)
        self.event_selectors = [
            {
                "ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [],
                "ExcludeManagementEventSources": [],
            }
        ]

    Trail.__init__ = init


def _delivery_to_logs() -> None:
    """The emulator knows no delivery to CloudWatch Logs."""
    described = TrailStatus.description

    def description(self):
        delivered = getattr(self, "soc2scan_logs_delivered", None)
        return {**described(self), **({"LatestCloudWatchLogsDeliveryTime": delivered} if delivered else {})}

    TrailStatus.description = description


def _snapshots_of_others() -> None:
    """Every snapshot is shown to everybody there, those of public images too."""
    described = EBSBackend.describe_snapshots

    def describe_snapshots(self, snapshot_ids=None, filters=None):
        return [s for s in described(self, snapshot_ids, filters) if s.owner_id == self.account_id]

    EBSBackend.describe_snapshots = describe_snapshots


def _bucket_defaults() -> None:
    made = FakeBucket.__init__

    def init(self, *args, **kwargs):
        made(self, *args, **kwargs)
        self.public_access_block = PublicAccessBlock(
            block_public_acls="true", ignore_public_acls="true", block_public_policy="true", restrict_public_buckets="true"
        )
        self.ownership_rule = "BucketOwnerEnforced"
        self.encryption = {
            "Rule": {
                "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
                "BucketKeyEnabled": "false",
            }
        }

    FakeBucket.__init__ = init


HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,"
    "access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,"
    "access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated,additional_credentials_info"
)


def _credential_report() -> None:
    def report(self) -> str:
        if not self.credential_report:
            from moto.iam.exceptions import ReportNotPresentException

            raise ReportNotPresentException("Credential report not present")
        rows = [HEADER, _root_row(self.soc2scan_root, self.account_id)]
        rows += [_user_row(user) for user in self.users.values()]
        return "\n".join(rows)

    IAMBackend.get_credential_report = report
    User.soc2scan_password_changed = None


def _root_row(root: Root, account_id: str) -> str:
    keys = [("true", created, used) for created, used in root.keys]
    row = ["<root_account>", f"arn:aws:iam::{account_id}:root", root.created.strftime(DATE), "not_supported"]
    row += [_time(root.password_last_used, "no_information"), "not_supported", "not_supported", _flag(root.mfa)]
    return ",".join(row + _keys(keys) + ["false", "N/A", "false", "N/A", ""])


def _user_row(user) -> str:
    keys = [(_flag(k.status == "Active"), k.create_date, _used(k)) for k in user.access_keys]
    row = [user.name, user.arn, user.create_date.strftime(DATE)]
    if user.password:
        changed = user.soc2scan_password_changed or user.create_date
        row += ["true", _time(user.password_last_used, "no_information"), changed.strftime(DATE), "N/A"]
    else:
        row += ["false", "N/A", "N/A", "N/A"]
    row.append(_flag(bool(user.mfa_devices)))
    certificates = [_flag(c.status == "Active") for c in user.signing_certificates.values()]
    row += _keys(keys)
    for n in range(2):
        row += [certificates[n], user.create_date.strftime(DATE)] if n < len(certificates) else ["false", "N/A"]
    return ",".join(row + [""])


def _keys(keys) -> list[str]:
    row = []
    for n in range(2):
        if n < len(keys):
            active, created, used = keys[n]
            row += [active, created.strftime(DATE), _time(used, "N/A")]
            row += ["us-east-1", "s3"] if used else ["N/A", "N/A"]
        else:
            row += ["false", "N/A", "N/A", "N/A", "N/A"]
    return row


def _used(key):
    return key.last_used.timestamp if key.last_used else None


def _time(moment, otherwise: str) -> str:
    return moment.strftime(DATE) if moment else otherwise


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _accounts_alone() -> None:
    """An account in no organization is told so, whatever it asks of one."""
    for method in ("list_parents", "list_policies_for_target", "describe_policy"):
        asked = getattr(OrganizationsBackend, method)

        def ask(self, *arguments, asked=asked, **named):
            if not self.org:
                raise AWSOrganizationsNotInUseException
            return asked(self, *arguments, **named)

        setattr(OrganizationsBackend, method, ask)
