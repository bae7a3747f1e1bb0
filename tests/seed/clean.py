"""An account of a small company that does everything right: no rule may fail on it."""

import json
import pathlib

import answers
import balancers as balancing
import cloudfront
import config
import iam
import rds as databases_of
import s3
import stores
from account import HOME, REGIONS, Account, allow, document, trust
from alarms import composite
from corrections import Root, set_root

ZONES = ("a", "b")
PATTERNS = pathlib.Path(__file__).parents[2] / "testdata" / "alarm" / "published-patterns.json"
CODE = b"PK\x05\x06" + bytes(18)


def seed(account: Account) -> None:
    set_root(account, Root(mfa=True, keys=[], created=account.ago(1500)))
    identities(account)
    for region in REGIONS:
        keys(account, region)
    buckets(account)
    for region in REGIONS:
        blocks(region)
        baseline(account, region)
        network(account, region)
        watching(account, region)
    machines(account)
    balancers(account)
    databases(account)
    functions(account)
    trail(account)
    edges(account)
    clusters(account)
    alarms(account)
    policies(account)


def blocks(region: str) -> None:
    """What a region as a whole forbids."""
    managed = {"ManagedBy": "account"}
    answers.put("GetSnapshotBlockPublicAccessState", {"State": "block-all-sharing", **managed}, region)
    defaults = {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled", **managed}
    answers.put("GetInstanceMetadataDefaults", {"AccountLevel": defaults}, region)
    internet = {"State": "update-complete", "InternetGatewayBlockMode": "block-bidirectional", **managed}
    answers.put("DescribeVpcBlockPublicAccessOptions", {"VpcBlockPublicAccessOptions": internet}, region)


def baseline(account: Account, region: str) -> None:
    """What watches the configuration, and where findings go."""
    arn = f"arn:aws:config:{region}:{account.id}:conformance-pack/baseline/conformance-pack-a1b2c3d4e"
    pack = {"ConformancePackName": "baseline", "ConformancePackArn": arn, "ConformancePackId": "conformance-pack-a1b2c3d4e"}
    answers.put("DescribeConformancePacks", {"ConformancePackDetails": [pack]}, region)
    destination = {"DestinationId": "4cb1fbb8f7ad4a9f9ef7a1a4e30a0001", "DestinationType": "S3", "Status": "PUBLISHING"}
    answers.put("ListPublishingDestinations", {"Destinations": [destination]}, region)
    images = {"State": "enabled", "ImageCriteria": [{"ImageProviders": ["amazon"]}], "ManagedBy": "account"}
    answers.put("GetAllowedImagesSettings", images, region)


def identities(account: Account) -> None:
    client = account.client("iam")
    client.create_account_alias(AccountAlias="clean-example")
    client.update_account_password_policy(
        MinimumPasswordLength=16, RequireSymbols=True, RequireNumbers=True, RequireUppercaseCharacters=True,
        RequireLowercaseCharacters=True, AllowUsersToChangePassword=True, MaxPasswordAge=90, PasswordReusePrevention=24,
    )
    narrow = iam.policy(account, "read-documents", allow(["s3:GetObject"], "arn:aws:s3:::documents/*"))
    client.create_group(GroupName="readers")
    client.attach_group_policy(GroupName="readers", PolicyArn=narrow)
    for name in ("ada", "grace"):
        iam.user(account, name, password_used=1, mfa=True)
        client.add_user_to_group(GroupName="readers", UserName=name)
    client.create_saml_provider(Name="okta", SAMLMetadataDocument="<EntityDescriptor/>" + " " * 1000)
    pinned = {"StringEquals": {"aws:SourceAccount": account.id}, "ArnLike": {"aws:SourceArn": f"arn:aws:ec2:*:{account.id}:*"}}
    iam.role(account, "application", iam.from_service("ec2.amazonaws.com", **pinned), attached=[narrow])
    iam.role(account, "function", iam.from_service("lambda.amazonaws.com", StringEquals={"aws:SourceAccount": account.id}), attached=[narrow])
    github = iam.provider(account, "https://token.actions.githubusercontent.com", "sts.amazonaws.com")
    actions = "token.actions.githubusercontent.com"
    subject = {f"{actions}:aud": "sts.amazonaws.com", f"{actions}:sub": "repo:acme/app:environment:production"}
    iam.role(
        account,
        "deploy",
        trust({"Federated": github}, "sts:AssumeRoleWithWebIdentity", Condition={"StringEquals": subject}),
        attached=[narrow],
    )
    auditors = trust({"AWS": f"arn:aws:iam::{account.id}:root"})
    iam.role(account, "auditor", auditors, attached=[iam.AWS + "SecurityAudit"])
    client.create_instance_profile(InstanceProfileName="application")
    client.add_role_to_instance_profile(InstanceProfileName="application", RoleName="application")
    support = iam.AWS + "AWSSupportAccess"
    iam.role(account, "support", trust({"AWS": f"arn:aws:iam::{account.id}:root"}), attached=[support])


def keys(account: Account, region: str) -> None:
    kms = account.client("kms", region)
    own = {
        "Sid": "Account",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account.id}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    # CloudWatch publishes to an encrypted topic with a key of the account only.
    alarms = {
        "Sid": "Alarms",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account.id}},
    }
    made = kms.create_key(Description="data", Policy=document(own, alarms))["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/data", TargetKeyId=made)
    kms.enable_key_rotation(KeyId=made)
    account.facts[f"kms-{region}"] = made


def buckets(account: Account) -> None:
    # boto3 puts the account's id in front of the host name, which has no address here.
    account.backend("s3control").put_public_access_block(
        account.id,
        {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True},
    )
    client = account.client("s3")
    for name in ("documents", "access-logs"):
        client.create_bucket(Bucket=name)
        s3.harden(account, name, account.facts[f"kms-{HOME}"])
    s3.trail_bucket(account, "audit-trail", locked=True)
    trail_policy = client.get_bucket_policy(Bucket="audit-trail")["Policy"]
    s3.harden(account, "audit-trail", account.facts[f"kms-{HOME}"])
    s3.access_logging(account, "documents", "access-logs")
    s3.access_logging(account, "audit-trail", "access-logs")
    s3.access_logging(account, "access-logs", "access-logs")
    client.put_bucket_policy(Bucket="audit-trail", Policy=trail_policy)
    expire = {"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}
    answers.directory_bucket(account, "thumbnails--use1-az4--x-s3", expire)
    queue = f"arn:aws:sqs:{HOME}:{account.id}:bucket-events"
    sender = {
        "Sid": "Buckets", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": queue, "Condition": {"StringEquals": {"aws:SourceAccount": account.id}},
    }
    redriven = stores.dead_letters(account, "bucket-events-failed", f"arn:aws:sns:{HOME}:{account.id}:alarms")
    stores.queue(account, "bucket-events", sender, **redriven)
    for name, data in (("documents", "confidential"), ("access-logs", "internal"), ("audit-trail", "audit-log")):
        tags = {"data-classification": data, "owner": "platform"}
        client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in tags.items()]})
        events = {"QueueArn": queue, "Events": ["s3:ObjectRemoved:*"]}
        client.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"QueueConfigurations": [events]}
        )


def network(account: Account, region: str) -> None:
    """The default VPC goes; ours has flow logs, private subnets and an empty default group."""
    ec2 = account.client("ec2", region)
    for vpc in ec2.describe_vpcs()["Vpcs"]:
        remove(account, region, vpc["VpcId"])
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    account.facts[f"vpc-{region}"] = vpc
    for n, zone in enumerate(ZONES):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{region}{zone}")
        account.facts[f"subnet-{region}{zone}"] = subnet["Subnet"]["SubnetId"]
        ec2.modify_subnet_attribute(SubnetId=subnet["Subnet"]["SubnetId"], MapPublicIpOnLaunch={"Value": False})
    logs = account.client("logs", region)
    logs.create_log_group(logGroupName="vpc")
    logs.put_retention_policy(logGroupName="vpc", retentionInDays=400)
    ec2.create_flow_logs(
        ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL", LogDestinationType="cloud-watch-logs",
        LogGroupName="vpc", DeliverLogsPermissionArn=f"arn:aws:iam::{account.id}:role/application",
    )
    for group in ec2.describe_security_groups()["SecurityGroups"]:
        if group["IpPermissionsEgress"]:
            ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
    restrict(ec2)
    ec2.enable_ebs_encryption_by_default()
    if region != HOME:
        return
    made = ec2.create_security_group(GroupName="service", Description="service", VpcId=vpc)["GroupId"]
    inside = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16", "Description": "the load balancer"}]}
    ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[inside])
    account.facts[f"sg-{region}"] = made


def remove(account: Account, region: str, vpc: str) -> None:
    ec2 = account.client("ec2", region)
    mine = [{"Name": "vpc-id", "Values": [vpc]}]
    for subnet in ec2.describe_subnets(Filters=mine)["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    for gateway in ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])["InternetGateways"]:
        ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
        ec2.delete_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"])
    ec2.delete_vpc(VpcId=vpc)
    # What AWS deletes with a VPC and the emulator keeps.
    backend = account.backend("ec2", region)
    for kept in (backend.route_tables, backend.network_acls):
        for key in [key for key, item in kept.items() if item.vpc_id == vpc]:
            del kept[key]
    backend.groups.pop(vpc, None)


def restrict(ec2) -> None:
    """Network ACLs that let in the VPC's own traffic and answers to it."""
    for acl in ec2.describe_network_acls()["NetworkAcls"]:
        for entry in acl["Entries"]:
            if not entry["Egress"] and entry["RuleNumber"] < 32767:
                ec2.delete_network_acl_entry(NetworkAclId=acl["NetworkAclId"], RuleNumber=entry["RuleNumber"], Egress=False)
        ec2.create_network_acl_entry(
            NetworkAclId=acl["NetworkAclId"], RuleNumber=100, Protocol="-1", RuleAction="allow", Egress=False,
            CidrBlock="10.0.0.0/16",
        )


def machines(account: Account) -> None:
    ec2 = account.client("ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    account.made(image, 100)
    for service, action in (("ec2", "ec2:Describe*"), ("ssm", "ssm:*"), ("ssmmessages", "ssmmessages:*")):
        endpoint = ec2.create_vpc_endpoint(
            VpcId=account.facts[f"vpc-{HOME}"], ServiceName=f"com.amazonaws.{HOME}.{service}", VpcEndpointType="Interface",
            SubnetIds=[account.facts[f"subnet-{HOME}{zone}"] for zone in ZONES], PrivateDnsEnabled=True,
            PolicyDocument=document(allow(action, Principal={"AWS": f"arn:aws:iam::{account.id}:root"})),
        )
        account.facts[f"endpoint-{service}"] = endpoint["VpcEndpoint"]["VpcEndpointId"]
    for zone in ZONES:
        instance(account, zone, image)
    ours = [account.facts[f"i-{zone}"] for zone in ZONES]
    answers.put("DescribeInstanceInformation", {"InstanceInformationList": [account.managed(i) for i in ours]}, HOME)
    patches = {"ResourceComplianceSummaryItems": [account.patched(i) for i in ours]}
    answers.put("ListResourceComplianceSummaries", patches, HOME)
    ec2.create_launch_template(
        LaunchTemplateName="application",
        LaunchTemplateData={"InstanceType": "t3.micro", "MetadataOptions": {"HttpTokens": "required"}},
    )


def instance(account: Account, zone: str, image: str) -> None:
    ec2 = account.client("ec2")
    made = ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.micro",
        SubnetId=account.facts[f"subnet-{HOME}{zone}"],
        SecurityGroupIds=[account.facts[f"sg-{HOME}"]],
        IamInstanceProfile={"Name": "application"},
        MetadataOptions={"HttpTokens": "required", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1},
        Monitoring={"Enabled": True},
        DisableApiTermination=True,
    )["Instances"][0]
    account.facts[f"i-{zone}"] = made["InstanceId"]
    account.launched(made["InstanceId"], 100)
    # The emulator's root volumes are plain; in AWS the region's default would have encrypted them.
    for volume in account.backend("ec2", HOME).volumes.values():
        volume.encrypted = True
    data = ec2.create_volume(AvailabilityZone=f"{HOME}{zone}", Size=8, VolumeType="gp3", Encrypted=True)["VolumeId"]
    ec2.attach_volume(VolumeId=data, InstanceId=made["InstanceId"], Device="/dev/sdf")
    account.facts[f"vol-{zone}"] = data
    account.facts[f"snap-{zone}"] = ec2.create_snapshot(VolumeId=data, Description="data")["SnapshotId"]


def balancers(account: Account) -> None:
    """One inside, with TLS before and behind it."""
    subnets = [account.facts[f"subnet-{HOME}{zone}"] for zone in ZONES]
    service = balancing.balancer(
        account, "service", "application", subnets, [account.facts[f"sg-{HOME}"]],
        deletion_protection__enabled="true", access_logs__s3__enabled="true", access_logs__s3__bucket="access-logs",
        routing__http__drop_invalid_header_fields__enabled="true", routing__http__desync_mitigation_mode="strictest",
    )
    machines = [account.facts[f"i-{zone}"] for zone in ZONES]
    group = balancing.group(account, "service", account.facts[f"vpc-{HOME}"], "HTTPS", 443, machines)
    balancing.listener(account, "plain", service, "HTTP", 80, balancing.TO_HTTPS)
    balancing.listener(
        account, "secure", service, "HTTPS", 443, balancing.forward(group), SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        Certificates=[{"CertificateArn": balancing.certificate(account, "service.example.com")}],
    )


def databases(account: Account) -> None:
    rds = account.client("rds")
    key = f"arn:aws:kms:{HOME}:{account.id}:key/{account.facts[f'kms-{HOME}']}"
    rds.create_db_subnet_group(
        DBSubnetGroupName="private", DBSubnetGroupDescription="private",
        SubnetIds=[account.facts[f"subnet-{HOME}{zone}"] for zone in ZONES],
    )
    tls = databases_of.refuse_plain_connections(account, HOME, "tls-only", "postgres17")
    rds.create_db_instance(
        DBParameterGroupName=tls, Port=6432,
        DBInstanceIdentifier="ledger", DBInstanceClass="db.t3.medium", Engine="postgres", EngineVersion="17.5",
        StorageEncrypted=True, KmsKeyId=key, PubliclyAccessible=False, MultiAZ=True, DeletionProtection=True,
        BackupRetentionPeriod=35, AutoMinorVersionUpgrade=True, CopyTagsToSnapshot=True,
        EnableIAMDatabaseAuthentication=True, EnableCloudwatchLogsExports=["postgresql", "upgrade"],
        MasterUsername="ledger_owner", ManageMasterUserPassword=True, AllocatedStorage=20, MonitoringInterval=60,
        MonitoringRoleArn=f"arn:aws:iam::{account.id}:role/application", EnablePerformanceInsights=True,
        DBSubnetGroupName="private", VpcSecurityGroupIds=[account.facts[f"sg-{HOME}"]],
    )
    databases_of.complete(account, HOME, "ledger", monitoring=60)
    rds.create_db_snapshot(DBSnapshotIdentifier="ledger-before-migration", DBInstanceIdentifier="ledger")


def functions(account: Account) -> None:
    client = account.client("lambda")
    client.create_function(
        FunctionName="thumbnails", Runtime="python3.13", Role=f"arn:aws:iam::{account.id}:role/function",
        Handler="main.handler", Code={"ZipFile": CODE}, TracingConfig={"Mode": "Active"},
        KMSKeyArn=f"arn:aws:kms:{HOME}:{account.id}:key/{account.facts[f'kms-{HOME}']}",
        VpcConfig={
            "SubnetIds": [account.facts[f"subnet-{HOME}{zone}"] for zone in ZONES],
            "SecurityGroupIds": [account.facts[f"sg-{HOME}"]],
        },
        CodeSigningConfigArn=f"arn:aws:lambda:{HOME}:{account.id}:code-signing-config:csc-0f6c334abcdea4d8b",
    )
    stores.queue(account, "failed-thumbnails")
    failed = {"OnFailure": {"Destination": f"arn:aws:sqs:{HOME}:{account.id}:failed-thumbnails"}}
    client.put_function_event_invoke_config(FunctionName="thumbnails", DestinationConfig=failed)
    client.add_permission(
        FunctionName="thumbnails", StatementId="documents", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::documents", SourceAccount=account.id,
    )
    client.create_function_url_config(FunctionName="thumbnails", AuthType="AWS_IAM")
    # No share of its own: an alarm watches that of the region.
    client.tag_resource(Resource=f"arn:aws:lambda:{HOME}:{account.id}:function:thumbnails", Tags={"critical": "yes"})
    account.client("cloudwatch").put_metric_alarm(
        AlarmName="concurrency", Namespace="AWS/Lambda", MetricName="UnreservedConcurrentExecutions", Statistic="Maximum",
        Period=60, EvaluationPeriods=1, Threshold=800, ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching", AlarmActions=[f"arn:aws:sns:{HOME}:{account.id}:alarms"],
    )


def watching(account: Account, region: str) -> None:
    on = {"Enable": True}
    made = account.client("guardduty", region).create_detector(
        Enable=True,
        FindingPublishingFrequency="FIFTEEN_MINUTES",
        DataSources={
            "S3Logs": on, "Kubernetes": {"AuditLogs": on},
            "MalwareProtection": {"ScanEc2InstanceWithFindings": {"EbsVolumes": True}},
        },
        Features=[
            {"Name": name, "Status": "ENABLED"}
            for name in (
                "S3_DATA_EVENTS", "EKS_AUDIT_LOGS", "EBS_MALWARE_PROTECTION", "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS",
            )
        ] + [{
            "Name": "RUNTIME_MONITORING", "Status": "ENABLED",
            "AdditionalConfiguration": [
                {"Name": name, "Status": "ENABLED"}
                for name in ("EC2_AGENT_MANAGEMENT", "EKS_ADDON_MANAGEMENT")
            ],
        }],
    )
    account.facts[f"detector-{region}"] = made["DetectorId"]
    findings_told(account, region)
    config.recorder(account, region, "audit-trail")


def findings_told(account: Account, region: str) -> None:
    """A rule that hands every finding to people."""
    sns, events = account.client("sns", region), account.client("events", region)
    topic = sns.create_topic(Name="findings")["TopicArn"]
    publish = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "SNS:Publish", "Resource": topic}
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document(publish))
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="security@example.com")
    events.put_rule(Name="findings", EventPattern=json.dumps({"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"]}))
    events.put_targets(Rule="findings", Targets=[{"Id": "topic", "Arn": topic}])


def trail(account: Account) -> None:
    logs = account.client("logs")
    logs.create_log_group(logGroupName="trail")
    logs.put_retention_policy(logGroupName="trail", retentionInDays=400)
    logs.create_log_group(logGroupName="customers", tags={"data-classification": "personal"})
    logs.put_retention_policy(logGroupName="customers", retentionInDays=400)
    masking = {"policyName": "masking", "policyType": "DATA_PROTECTION_POLICY", "policyDocument": stores.masking(), "scope": "ALL"}
    answers.put("DescribeAccountPolicies", {"accountPolicies": [masking]}, HOME)
    key = f"arn:aws:kms:{HOME}:{account.id}:key/{account.facts[f'kms-{HOME}']}"
    trails = account.client("cloudtrail")
    trails.create_trail(
        Name="audit", S3BucketName="audit-trail", IsMultiRegionTrail=True, IncludeGlobalServiceEvents=True,
        EnableLogFileValidation=True, KmsKeyId=key,
        CloudWatchLogsLogGroupArn=f"arn:aws:logs:{HOME}:{account.id}:log-group:trail:*",
        CloudWatchLogsRoleArn=f"arn:aws:iam::{account.id}:role/application",
    )
    data = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}
    calls = {"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}
    trails.put_event_selectors(
        TrailName="audit",
        EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [data, calls]}],
    )
    trails.start_logging(Name="audit")
    stored = account.backend("cloudtrail", HOME).trails["audit"]
    stored.status.soc2scan_logs_delivered = account.now.timestamp()
    trails.put_insight_selectors(
        TrailName="audit",
        InsightSelectors=[{"InsightType": "ApiCallRateInsight"}, {"InsightType": "ApiErrorRateInsight"}],
    )


def edges(account: Account) -> None:
    sns = account.client("sns")
    arn = sns.create_topic(Name="alarms", Attributes={"KmsMasterKeyId": "alias/data"})["TopicArn"]
    publish = {"Sid": "Alarms", "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "SNS:Publish"}
    bound = {"StringEquals": {"aws:SourceAccount": account.id}}
    sns.set_topic_attributes(
        TopicArn=arn,
        AttributeName="Policy",
        AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [{**publish, "Resource": arn, "Condition": bound}]}),
    )
    for attribute in ("HTTPSuccessFeedbackRoleArn", "HTTPFailureFeedbackRoleArn"):
        role = f"arn:aws:iam::{account.id}:role/application"
        sns.set_topic_attributes(TopicArn=arn, AttributeName=attribute, AttributeValue=role)
    sns.subscribe(TopicArn=arn, Protocol="https", Endpoint="https://pager.example.com/alarms")
    account.facts["distribution"] = cloudfront.distribution(account, "site", "redirect-to-https", "TLSv1.2_2021")


def clusters(account: Account) -> None:
    """Without a task on Fargate, where nothing is monitored at run time."""
    account.client("ecs").create_cluster(clusterName="jobs")


def alarms(account: Account) -> None:
    """An alarm on each kind of event that asks for one, by the published filter patterns."""
    published = json.loads(PATTERNS.read_text())["patterns"]
    logs, cloudwatch = account.client("logs"), account.client("cloudwatch")
    for name, patterns in published.items():
        logs.put_metric_filter(
            logGroupName="trail", filterName=name, filterPattern=next(p["pattern"] for p in patterns if "because" not in p),
            metricTransformations=[{"metricNamespace": "Security", "metricName": name, "metricValue": "1"}],
        )
        cloudwatch.put_metric_alarm(
            AlarmName=name, Namespace="Security", MetricName=name, Statistic="Sum", Period=300, EvaluationPeriods=1,
            Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold", TreatMissingData="notBreaching",
            AlarmActions=[f"arn:aws:sns:{HOME}:{account.id}:alarms"],
        )
    told = [f"arn:aws:sns:{HOME}:{account.id}:alarms"]
    composite(account, "any-change-of-keys", 'ALARM("kms-key-disable-or-delete")', told)


def policies(account: Account) -> None:
    """What has a policy of its own: for the account, and for nobody else."""
    own = account.id
    stores.secret(account, "ledger-api", stores.one_account(own, "secretsmanager:GetSecretValue"))
    stores.repository(account, "thumbnails", stores.one_account(own, ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]))
    no_deletion = {"Sid": "Kept", "Effect": "Deny", "Principal": "*", "Action": "backup:DeleteRecoveryPoint", "Resource": "*"}
    stores.vault(account, "daily", no_deletion)
    stores.domain(account, "search", True, stores.one_account(own, "es:*"), subnet=account.facts[f"subnet-{HOME}a"])
    stores.table(account, "sessions", stores.one_account(own, ["dynamodb:GetItem", "dynamodb:PutItem"]))
    mount = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    stores.file_system(account, "shared-files", stores.plain_http_denied("*", "*"), stores.one_account(own, mount))
    point = f"arn:aws:s3:{HOME}:{own}:accesspoint/documents-readers"
    stores.access_point(account, "documents-readers", "documents", stores.one_account(own, "s3:GetObject", f"{point}/object/*"), True)
    stores.multi_region_access_point(account, "documents-everywhere", ["documents"], True)
