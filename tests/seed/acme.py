"""Acme: the production account of a small software company, for the demo. Mostly right, not everywhere.

`sandbox.py` is its second account. `tests/demo.rs` records both.
"""

import json

import answers
import balancers as balancing
import cloudfront
import config
import iam
import rds as databases_of
import s3
from account import HOME, Account, allow, document, tls_only, trust
from corrections import Root, set_root

EUROPE, WEST = "eu-west-1", "us-west-2"
VENDOR = "555566667777"
CODE = b"PK\x05\x06" + bytes(18)


def seed(account: Account) -> None:
    set_root(account, Root(mfa=True, keys=[], created=account.ago(1900), password_last_used=account.ago(210)))
    people(account)
    roles(account)
    keys(account)
    storage(account)
    for n, region in enumerate((HOME, EUROPE)):
        network(account, region, 10 + n)
    for region in (HOME, EUROPE, WEST):
        default_groups(account, region)
    machines(account)
    databases(account)
    functions(account)
    watching(account)
    messages(account)
    alerting(account)
    edge(account)


def people(account: Account) -> None:
    client = account.client("iam")
    client.create_account_alias(AccountAlias="acme-production")
    client.update_account_password_policy(
        MinimumPasswordLength=14, RequireSymbols=True, RequireNumbers=True, RequireUppercaseCharacters=True,
        RequireLowercaseCharacters=True, AllowUsersToChangePassword=True, PasswordReusePrevention=24,
    )
    client.create_saml_provider(Name="okta", SAMLMetadataDocument="<EntityDescriptor/>" + " " * 1000)
    deploy = iam.policy(
        account, "deploy-application",
        allow(["ecs:UpdateService", "ecs:DescribeServices", "ecr:PutImage"], f"arn:aws:ecs:*:{account.id}:service/app/*"),
    )
    iam.policy(account, "billing-export", allow(["s3:PutObject"], "arn:aws:s3:::acme-billing-exports/*"))
    legacy = iam.policy(account, "legacy-ci", allow(["s3:*", "iam:PassRole", "lambda:*"]))
    for name, policies in {
        "administrators": [iam.AWS + "AdministratorAccess"], "engineers": [iam.AWS + "ReadOnlyAccess"], "ci": [deploy, legacy],
        "contractors-2023": [],
    }.items():
        client.create_group(GroupName=name)
        for arn in policies:
            client.attach_group_policy(GroupName=name, PolicyArn=arn)
    # Name, group, days since the password was used, and whether there is a second factor.
    for name, group, used, mfa in [
        ("break-glass-1", "administrators", 95, True), ("break-glass-2", "administrators", "never", True),
        ("maria.silva", "engineers", 3, True), ("tom.becker", "engineers", 160, True), ("li.wei", "engineers", 12, False),
    ]:
        iam.user(account, name, password_used=used, mfa=mfa)
        client.add_user_to_group(GroupName=group, UserName=name)
    iam.user(account, "jenkins")
    client.add_user_to_group(GroupName="ci", UserName="jenkins")
    iam.key(account, "jenkins", age=731, used=1)
    iam.user(account, "metrics-exporter")
    iam.key(account, "metrics-exporter", age=40, used=0.1)
    client.put_user_policy(
        UserName="metrics-exporter", PolicyName="read-metrics",
        PolicyDocument=document(allow(["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"])),
    )


def roles(account: Account) -> None:
    own = {"StringEquals": {"aws:SourceAccount": account.id}}
    uploads = iam.policy(account, "read-uploads", allow(["s3:GetObject"], "arn:aws:s3:::acme-uploads/*"))
    iam.role(account, "app-server", iam.from_service("ec2.amazonaws.com"), attached=[uploads])
    iam.role(account, "image-resizer", iam.from_service("lambda.amazonaws.com"), attached=[uploads], inline={
        "write-thumbnails": [allow(["s3:PutObject"], "arn:aws:s3:::acme-thumbnails/*")],
    })
    iam.role(account, "invoice-mailer", iam.from_service("lambda.amazonaws.com"), inline={"send": [allow(["ses:SendEmail"], "*")]})
    iam.role(account, "flow-logs", iam.from_service("vpc-flow-logs.amazonaws.com", **own))
    iam.role(account, "backup", iam.from_service("backup.amazonaws.com", **own), attached=[iam.AWS + "service-role/AWSBackupServiceRolePolicyForBackup"])
    iam.role(account, "rds-monitoring", iam.from_service("monitoring.rds.amazonaws.com", **own), attached=[iam.AWS + "service-role/AmazonRDSEnhancedMonitoringRole"])
    external = {"StringEquals": {"sts:ExternalId": "acme-7fd1"}}
    iam.role(account, "monitoring-vendor", trust({"AWS": f"arn:aws:iam::{VENDOR}:root"}, Condition=external), attached=[iam.AWS + "SecurityAudit"])
    iam.role(account, "old-cost-vendor", trust({"AWS": "arn:aws:iam::888899990000:root"}), attached=[iam.AWS + "ReadOnlyAccess"], used=None)
    iam.role(account, "data-migration-2024", iam.from_service("ec2.amazonaws.com"), attached=[iam.AWS + "AdministratorAccess"], used=390)
    iam.role(account, "support", trust({"AWS": f"arn:aws:iam::{account.id}:root"}), attached=[iam.AWS + "AWSSupportAccess"])
    github = iam.provider(account, "https://token.actions.githubusercontent.com", "sts.amazonaws.com")
    claim = "token.actions.githubusercontent.com"
    subject = {f"{claim}:aud": "sts.amazonaws.com", f"{claim}:sub": "repo:acme-inc/app:environment:production"}
    iam.role(account, "github-deploy", trust({"Federated": github}, "sts:AssumeRoleWithWebIdentity", Condition={"StringEquals": subject}))


def keys(account: Account) -> None:
    own = {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account.id}:root"}, "Action": "kms:*", "Resource": "*"}
    for name, region, rotated in [
        ("data", HOME, True), ("trail", HOME, True), ("tokens", HOME, False), ("data", EUROPE, True),
    ]:
        kms = account.client("kms", region)
        made = kms.create_key(Description=name, Policy=document(own))["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=made)
        if rotated:
            kms.enable_key_rotation(KeyId=made)
        account.facts[f"kms-{name}-{region}"] = made


def storage(account: Account) -> None:
    account.backend("s3control").put_public_access_block(
        account.id,
        {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": False},
    )
    client = account.client("s3")
    key = account.facts[f"kms-data-{HOME}"]
    logs = "acme-access-logs"
    for name, kind in {
        logs: "internal", "acme-uploads": "confidential", "acme-thumbnails": "internal", "acme-data-lake": "confidential",
        "acme-terraform-state": "restricted", "acme-billing-exports": "internal",
    }.items():
        client.create_bucket(Bucket=name)
        s3.harden(account, name, key)
        tags = {"data-classification": kind, "owner": "platform"}
        client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in tags.items()]})
    for name in ("acme-uploads", "acme-data-lake", "acme-terraform-state"):
        s3.access_logging(account, name, logs)
    s3.trail_bucket(account, "acme-cloudtrail")
    client.put_bucket_versioning(Bucket="acme-cloudtrail", VersioningConfiguration={"Status": "Enabled"})
    for name in ("acme-marketing-assets", "acme-press-kit", "acme-etl-scratch"):
        client.create_bucket(Bucket=name)
    public = {"Sid": "Public", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-press-kit/*"}
    client.delete_public_access_block(Bucket="acme-press-kit")
    client.put_bucket_policy(Bucket="acme-press-kit", Policy=document(public, tls_only("acme-press-kit")))
    account.client("s3", EUROPE).create_bucket(
        Bucket="acme-eu-customer-files", CreateBucketConfiguration={"LocationConstraint": EUROPE}
    )
    s3.harden(account, "acme-eu-customer-files", account.facts[f"kms-data-{EUROPE}"])


WORLD = [{"CidrIp": "0.0.0.0/0"}]


def network(account: Account, region: str, second: int) -> None:
    ec2 = account.client("ec2", region)
    vpc = ec2.create_vpc(CidrBlock=f"10.{second}.0.0/16", TagSpecifications=named("vpc", "production"))["Vpc"]["VpcId"]
    account.facts[f"vpc-{region}"] = vpc
    for n, (tier, zone) in enumerate((tier, zone) for tier in ("public", "private", "data") for zone in "ab"):
        subnet = ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.{second}.{n}.0/24", AvailabilityZone=f"{region}{zone}",
            TagSpecifications=named("subnet", f"{tier}-{zone}"),
        )
        account.facts[f"subnet-{region}-{tier}-{zone}"] = subnet["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway(TagSpecifications=named("internet-gateway", "production"))["InternetGateway"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
    routes = ec2.create_route_table(VpcId=vpc, TagSpecifications=named("route-table", "public"))["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=routes, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway["InternetGatewayId"])
    for zone in "ab":
        ec2.associate_route_table(RouteTableId=routes, SubnetId=account.facts[f"subnet-{region}-public-{zone}"])
    account.client("logs", region).create_log_group(logGroupName="vpc-flow-logs")
    ec2.create_flow_logs(
        ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL", LogDestinationType="cloud-watch-logs",
        LogGroupName="vpc-flow-logs", DeliverLogsPermissionArn=f"arn:aws:iam::{account.id}:role/flow-logs",
    )

    def group(name: str, *rules: dict) -> None:
        made = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        account.facts[f"sg-{region}-{name}"] = made
        if rules:
            ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=list(rules))

    def tcp(port: int, **source) -> dict:
        return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}

    group("load-balancer", tcp(443, IpRanges=WORLD, Ipv6Ranges=[{"CidrIpv6": "::/0"}]), tcp(80, IpRanges=WORLD))
    group("application", tcp(8080, UserIdGroupPairs=[{"GroupId": account.facts[f"sg-{region}-load-balancer"]}]))
    group("database", tcp(5432, UserIdGroupPairs=[{"GroupId": account.facts[f"sg-{region}-application"]}]))
    if region == HOME:
        group("bastion", tcp(22, IpRanges=WORLD))
        group("reporting", tcp(3306, IpRanges=[{"CidrIp": "203.0.113.0/24", "Description": "analytics vendor"}]))


def named(kind: str, name: str) -> list:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def default_groups(account: Account, region: str) -> None:
    """As AWS makes them; those of the home region have been emptied."""
    ec2 = account.client("ec2", region)
    for group in ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"]:
        if region == HOME:
            ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
        else:
            own = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group["GroupId"], "UserId": account.id}]}
            ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[own])


def machines(account: Account) -> None:
    for region in (HOME, EUROPE):
        account.client("ec2", region).enable_ebs_encryption_by_default()
    answers.put("GetSnapshotBlockPublicAccessState", {"State": "block-all-sharing", "ManagedBy": "account"}, HOME)
    instance(account, HOME, "app-1", "private-a", "application")
    instance(account, HOME, "app-2", "private-b", "application")
    instance(account, HOME, "bastion", "public-a", "bastion", tokens="optional", public=True)
    instance(account, EUROPE, "app-eu-1", "private-a", "application")
    for region, name, encrypted in [(HOME, "search-index", True), (HOME, "old-wiki", False), (EUROPE, "search-index-eu", True)]:
        ec2 = account.client("ec2", region)
        ec2.disable_ebs_encryption_by_default()
        volume = ec2.create_volume(
            AvailabilityZone=f"{region}a", Size=200, VolumeType="gp3", Encrypted=encrypted, TagSpecifications=named("volume", name)
        )["VolumeId"]
        ec2.enable_ebs_encryption_by_default()
        ec2.create_snapshot(VolumeId=volume, Description=name, TagSpecifications=named("snapshot", name))
    shared = account.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"][0]["SnapshotId"]
    account.client("ec2").modify_snapshot_attribute(
        SnapshotId=shared, Attribute="createVolumePermission", OperationType="add", UserIds=[VENDOR]
    )


def instance(account: Account, region: str, name: str, subnet: str, group: str, tokens="required", public=False) -> None:
    ec2 = account.client("ec2", region)
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    made = ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.medium",
        NetworkInterfaces=[
            {
                "DeviceIndex": 0, "SubnetId": account.facts[f"subnet-{region}-{subnet}"],
                "Groups": [account.facts[f"sg-{region}-{group}"]], "AssociatePublicIpAddress": public,
            }
        ],
        MetadataOptions={"HttpTokens": tokens, "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1},
        TagSpecifications=named("instance", name),
    )["Instances"][0]["InstanceId"]
    for volume in account.backend("ec2", region).volumes.values():
        if volume.attachment and volume.attachment.instance.id == made:
            volume.encrypted = True
    account.facts[f"i-{name}"] = made


def databases(account: Account) -> None:
    common = {"AllocatedStorage": 100, "MasterUsername": "owner"}
    for region, name in ((HOME, "orders"), (EUROPE, "orders-eu")):
        rds = account.client("rds", region)
        key = f"arn:aws:kms:{region}:{account.id}:key/{account.facts[f'kms-data-{region}']}"
        rds.create_db_subnet_group(
            DBSubnetGroupName="data", DBSubnetGroupDescription="data",
            SubnetIds=[account.facts[f"subnet-{region}-data-{zone}"] for zone in "ab"],
        )
        rds.create_db_instance(
            DBInstanceIdentifier=name, DBInstanceClass="db.r6g.large", Engine="postgres", EngineVersion="17.5",
            StorageEncrypted=True, KmsKeyId=key, PubliclyAccessible=False, MultiAZ=region == HOME, DeletionProtection=True,
            BackupRetentionPeriod=35, AutoMinorVersionUpgrade=True, CopyTagsToSnapshot=True, ManageMasterUserPassword=True,
            EnableIAMDatabaseAuthentication=True, EnableCloudwatchLogsExports=["postgresql", "upgrade"],
            MonitoringInterval=60, MonitoringRoleArn=f"arn:aws:iam::{account.id}:role/rds-monitoring",
            DBSubnetGroupName="data", VpcSecurityGroupIds=[account.facts[f"sg-{region}-database"]], **common,
        )
        databases_of.complete(account, region, name, monitoring=60)
        rds.create_db_snapshot(DBSnapshotIdentifier=f"{name}-before-upgrade", DBInstanceIdentifier=name)
    rds = account.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="reporting", DBInstanceClass="db.t3.medium", Engine="mysql", EngineVersion="8.0.42",
        StorageEncrypted=False, PubliclyAccessible=True, MultiAZ=False, DeletionProtection=False, BackupRetentionPeriod=7,
        AutoMinorVersionUpgrade=True, MasterUserPassword="correct-horse-battery", DBSubnetGroupName="data",
        VpcSecurityGroupIds=[account.facts[f"sg-{HOME}-reporting"]], **common,
    )
    databases_of.complete(account, HOME, "reporting")
    rds.create_db_snapshot(DBSnapshotIdentifier="reporting-handover", DBInstanceIdentifier="reporting")
    rds.modify_db_snapshot_attribute(DBSnapshotIdentifier="reporting-handover", AttributeName="restore", ValuesToAdd=[VENDOR])


def functions(account: Account) -> None:
    for region, name, runtime, role in [
        (HOME, "image-resizer", "python3.13", "image-resizer"), (HOME, "invoice-mailer", "nodejs22.x", "invoice-mailer"),
        (HOME, "legacy-webhook", "python3.8", "invoice-mailer"), (EUROPE, "image-resizer", "python3.13", "image-resizer"),
    ]:
        account.client("lambda", region).create_function(
            FunctionName=name, Runtime=runtime, Role=f"arn:aws:iam::{account.id}:role/{role}", Handler="main.handler",
            Code={"ZipFile": CODE}, TracingConfig={"Mode": "Active"}, Environment={"Variables": {"LOG_LEVEL": "info"}},
        )
    client = account.client("lambda")
    client.add_permission(
        FunctionName="image-resizer", StatementId="uploads", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::acme-uploads", SourceAccount=account.id,
    )
    client.create_function_url_config(FunctionName="legacy-webhook", AuthType="NONE")
    client.add_permission(
        FunctionName="legacy-webhook", StatementId="url", Action="lambda:InvokeFunctionUrl", Principal="*", FunctionUrlAuthType="NONE"
    )


def watching(account: Account) -> None:
    trails = account.client("cloudtrail")
    account.client("logs").create_log_group(logGroupName="cloudtrail")
    trails.create_trail(
        Name="acme-trail", S3BucketName="acme-cloudtrail", IsMultiRegionTrail=True, IncludeGlobalServiceEvents=True,
        EnableLogFileValidation=True, KmsKeyId=f"arn:aws:kms:{HOME}:{account.id}:key/{account.facts[f'kms-trail-{HOME}']}",
        CloudWatchLogsLogGroupArn=f"arn:aws:logs:{HOME}:{account.id}:log-group:cloudtrail:*",
        CloudWatchLogsRoleArn=f"arn:aws:iam::{account.id}:role/flow-logs",
    )
    trails.start_logging(Name="acme-trail")
    account.backend("cloudtrail", HOME).trails["acme-trail"].status.soc2scan_logs_delivered = account.now.timestamp()
    for region in (HOME, EUROPE):
        on = {"Enable": True}
        account.client("guardduty", region).create_detector(
            Enable=True, FindingPublishingFrequency="FIFTEEN_MINUTES", DataSources={"S3Logs": on},
            Features=[{"Name": "S3_DATA_EVENTS", "Status": "ENABLED"}, {"Name": "RDS_LOGIN_EVENTS", "Status": "ENABLED"}],
        )
        config.recorder(account, region, "acme-cloudtrail")


def messages(account: Account) -> None:
    sns = account.client("sns")
    for name, key in (("alarms", None), ("order-events", "alias/data"), ("partner-feed", None)):
        arn = sns.create_topic(Name=name, Attributes={"KmsMasterKeyId": key} if key else {})["TopicArn"]
        if name == "partner-feed":
            everyone = {"Sid": "Partners", "Effect": "Allow", "Principal": "*", "Action": "SNS:Subscribe", "Resource": arn}
            sns.set_topic_attributes(
                TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [everyone]})
            )
    sns.subscribe(TopicArn=f"arn:aws:sns:{HOME}:{account.id}:alarms", Protocol="https", Endpoint="https://pager.example.com/acme")


def alerting(account: Account) -> None:
    """Alarms on some of the events that ask for one; nobody hears the one on the trail."""
    logs, cloudwatch = account.client("logs"), account.client("cloudwatch")
    for name, wanted in (
        ("root-usage", '$.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent"'),
        ("kms-key-disable-or-delete", "($.eventSource = kms.amazonaws.com) && (($.eventName = DisableKey) || ($.eventName = ScheduleKeyDeletion))"),
        ("cloudtrail-changes", " || ".join(f"($.eventName = {verb})" for verb in
                                           ("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"))),
    ):
        logs.put_metric_filter(
            logGroupName="cloudtrail", filterName=name, filterPattern=f"{{ {wanted} }}",
            metricTransformations=[{"metricNamespace": "Security", "metricName": name, "metricValue": "1"}],
        )
        cloudwatch.put_metric_alarm(
            AlarmName=name, Namespace="Security", MetricName=name, Statistic="Sum", Period=300, EvaluationPeriods=1,
            Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold", TreatMissingData="notBreaching",
            AlarmActions=[f"arn:aws:sns:{HOME}:{account.id}:alarms"], ActionsEnabled=name != "cloudtrail-changes",
        )


def edge(account: Account) -> None:
    app = balancing.balancer(
        account, "app", "application", [account.facts[f"subnet-{HOME}-public-{zone}"] for zone in "ab"],
        [account.facts[f"sg-{HOME}-load-balancer"]], "internet-facing",
        deletion_protection__enabled="true", routing__http__drop_invalid_header_fields__enabled="true",
    )
    machines = [account.facts["i-app-1"], account.facts["i-app-2"]]
    group = balancing.group(account, "app", account.facts[f"vpc-{HOME}"], "HTTP", 8080, machines)
    balancing.listener(account, "plain", app, "HTTP", 80, balancing.TO_HTTPS)
    balancing.listener(
        account, "secure", app, "HTTPS", 443, balancing.forward(group), SslPolicy="ELBSecurityPolicy-2016-08",
        Certificates=[{"CertificateArn": balancing.certificate(account, "app.acme.example")}],
    )
    cloudfront.distribution(account, "app.acme", "redirect-to-https", "TLSv1.2_2021")
    cloudfront.distribution(account, "press.acme", "allow-all", None)
