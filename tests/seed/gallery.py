"""One of each kind of resource that the other accounts have no use for: so that every collector is compared once."""

import datetime

import alarms
import answers
from account import HOME, Account, allow, document, trust
from corrections import Root, set_root
from moto.ssoadmin.models import Instance
from stores import masking

CODE = b"PK\x05\x06" + bytes(18)


def seed(account: Account) -> None:
    set_root(account, Root(mfa=True, keys=[], created=account.ago(100)))
    network(account)
    identities(account)
    organization(account)
    functions(account)
    watching(account)
    stores(account)
    monitoring(account)


def network(account: Account) -> None:
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    other = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24", AvailabilityZone=f"{HOME}a")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)
    ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={
            "InstanceType": "t3.micro", "UserData": "IyEvYmluL3NoCmV4cG9ydCBUT0tFTj1odW50ZXIyLW11c3QtbmV2ZXItYXBwZWFy",
            "MetadataOptions": {"HttpTokens": "required"},
        },
    )
    scaling = account.client("autoscaling")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="web", MinSize=0, MaxSize=2, DesiredCapacity=0, VPCZoneIdentifier=subnet,
        LaunchTemplate={"LaunchTemplateName": "web", "Version": "$Latest"},
    )
    scaling.create_launch_configuration(
        LaunchConfigurationName="old", ImageId=ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"],
        InstanceType="t3.micro", UserData="hunter2-must-never-appear",
    )
    machine = "i-0123456789abcdef0"
    answers.put("DescribeInstanceInformation", {"InstanceInformationList": [account.managed(machine)]}, HOME)
    answers.put("ListResourceComplianceSummaries", {"ResourceComplianceSummaryItems": [account.patched(machine)]}, HOME)
    peering = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=other)["VpcPeeringConnection"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering["VpcPeeringConnectionId"])
    transit = ec2.create_transit_gateway(Description="hub")["TransitGateway"]["TransitGatewayId"]
    ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=transit, VpcId=vpc, SubnetIds=[subnet])
    customer = ec2.create_customer_gateway(BgpAsn=65000, PublicIp="203.0.113.9", Type="ipsec.1")["CustomerGateway"]
    ec2.create_vpn_connection(
        CustomerGatewayId=customer["CustomerGatewayId"], TransitGatewayId=transit, Type="ipsec.1"
    )
    balancer = account.client("elbv2").create_load_balancer(Name="service", Subnets=[subnet], Type="network")
    ec2.create_vpc_endpoint_service_configuration(
        NetworkLoadBalancerArns=[balancer["LoadBalancers"][0]["LoadBalancerArn"]], AcceptanceRequired=True
    )
    client_vpn = {
        "ClientVpnEndpointId": "cvpn-endpoint-0123456789abcdef0", "Description": "staff", "VpcId": vpc,
        "Status": {"Code": "available"}, "CreationTime": "2026-01-05T12:00:00",
        "ConnectionLogOptions": {"Enabled": True, "CloudwatchLogGroup": "vpn"}, "SplitTunnel": True,
    }
    answers.put("DescribeClientVpnEndpoints", {"ClientVpnEndpoints": [client_vpn]}, HOME)
    rule = {"ClientVpnEndpointId": client_vpn["ClientVpnEndpointId"], "GroupId": "staff", "DestinationCidr": "10.9.0.0/16"}
    answers.put("DescribeClientVpnAuthorizationRules", {"AuthorizationRules": [rule]}, HOME)


def identities(account: Account) -> None:
    iam = account.client("iam")
    iam.create_user(UserName="bot")
    iam.upload_server_certificate(
        ServerCertificateName="www", CertificateBody="-----BEGIN CERTIFICATE-----", PrivateKey="-----BEGIN KEY-----"
    )
    credential = {
        "UserName": "bot", "Status": "Active", "ServiceUserName": "bot-at-111122223333", "ServiceName": "codecommit.amazonaws.com",
        "CreateDate": datetime.datetime(2026, 1, 5, 12, tzinfo=datetime.timezone.utc),
        "ServiceSpecificCredentialId": "ACCAEXAMPLE123EXAMPLE",
    }
    answers.put("ListServiceSpecificCredentials", {"ServiceSpecificCredentials": [credential], "IsTruncated": False})
    account.backend("ssoadmin", HOME).instances.append(Instance(account.id, HOME))
    kms = account.client("kms")
    key = kms.create_key(Description="granted")["KeyMetadata"]["KeyId"]
    kms.create_grant(KeyId=key, GranteePrincipal=f"arn:aws:iam::{account.id}:user/bot", Operations=["Decrypt"], Name="bot")


def organization(account: Account) -> None:
    """A member that may read the policies of its organization, which leave all roles but one little."""
    client = account.client("organizations")
    client.create_organization(FeatureSet="ALL")
    account.backend("organizations").org.master_account_id = "444455556666"
    root = client.list_roots()["Roots"][0]["Id"]
    unit = client.create_organizational_unit(ParentId=root, Name="workloads")["OrganizationalUnit"]["Id"]
    client.move_account(AccountId=account.id, SourceParentId=root, DestinationParentId=unit)
    spared = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/break-glass"}}
    guard = document({"Effect": "Deny", "NotAction": ["s3:Get*", "cloudwatch:*"], "Resource": "*", "Condition": spared})
    policy = client.create_policy(Name="guard", Description="", Type="SERVICE_CONTROL_POLICY", Content=guard)
    for name in ("p-FullAWSAccess", policy["Policy"]["PolicySummary"]["Id"]):
        client.attach_policy(PolicyId=name, TargetId=unit)
    iam = account.client("iam")
    for name in ("vendor", "break-glass"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust({"AWS": "999988887777"}))
        iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


def functions(account: Account) -> None:
    account.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=document())
    client = account.client("lambda")
    client.create_function(
        FunctionName="worker", Runtime="python3.13", Role=f"arn:aws:iam::{account.id}:role/function", Handler="main.handler",
        Code={"ZipFile": CODE},
    )
    version = client.publish_version(FunctionName="worker")["Version"]
    client.create_alias(FunctionName="worker", Name="live", FunctionVersion=version)
    client.publish_layer_version(LayerName="tools", Content={"ZipFile": CODE}, CompatibleRuntimes=["python3.13"])
    account.client("sqs").create_queue(QueueName="jobs")
    client.create_event_source_mapping(EventSourceArn=f"arn:aws:sqs:{HOME}:{account.id}:jobs", FunctionName="worker", BatchSize=5)


def watching(account: Account) -> None:
    config = account.client("config")
    config.put_configuration_recorder(
        ConfigurationRecorder={"name": "default", "roleARN": f"arn:aws:iam::{account.id}:role/function"}
    )
    source = {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_SSL_REQUESTS_ONLY"}
    config.put_config_rule(ConfigRule={"ConfigRuleName": "tls", "Source": source})
    config.put_configuration_aggregator(
        ConfigurationAggregatorName="all", AccountAggregationSources=[{"AccountIds": [account.id], "AllAwsRegions": True}]
    )
    guardduty = account.client("guardduty")
    detector = guardduty.create_detector(Enable=True)["DetectorId"]
    finding = {"Criterion": {"severity": {"Gte": 4}}}
    guardduty.create_filter(DetectorId=detector, Name="archive-low", Action="ARCHIVE", FindingCriteria=finding)
    store = {
        "EventDataStoreArn": f"arn:aws:cloudtrail:{HOME}:{account.id}:eventdatastore/a1b2c3d4-0000-4000-8000-000000000001",
        "Name": "lake", "Status": "ENABLED", "MultiRegionEnabled": True, "RetentionPeriod": 2557,
        "CreatedTimestamp": datetime.datetime(2026, 1, 5, 12, tzinfo=datetime.timezone.utc),
    }
    answers.put("ListEventDataStores", {"EventDataStores": [store]}, HOME)
    answers.put("GetEventDataStore", store, HOME)


def stores(account: Account) -> None:
    account.client("s3").create_bucket(Bucket="gallery")
    answers.directory_bucket(account, "cache--use1-az4--x-s3", {"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}})
    # boto3 puts the account's id in front of the host name, which has no address here.
    policy = document(allow("s3:GetObject", Principal={"AWS": f"arn:aws:iam::{account.id}:root"}))
    points = account.backend("s3control")
    points.create_access_point(account.id, "readers", "gallery", {}, {})
    points.put_access_point_policy(account.id, "readers", policy)
    rds = account.client("rds")
    rds.create_db_proxy(
        DBProxyName="pool", EngineFamily="POSTGRESQL", RoleArn=f"arn:aws:iam::{account.id}:role/function",
        Auth=[{"AuthScheme": "SECRETS", "IAMAuth": "DISABLED"}], RequireTLS=True,
        VpcSubnetIds=[s["SubnetId"] for s in account.client("ec2").describe_subnets()["Subnets"] if s["DefaultForAz"]][:2],
    )
    topic = account.client("sns").create_topic(Name="database-events")["TopicArn"]
    rds.create_event_subscription(SubscriptionName="events", SnsTopicArn=topic, SourceType="db-instance", Enabled=True)
    account.client("cloudfront").create_origin_access_control(
        OriginAccessControlConfig={
            "Name": "bucket", "SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3",
        }
    )


def monitoring(account: Account) -> None:
    account.client("logs").create_log_group(logGroupName="jobs", tags={"team": "platform"})
    answers.data_protection("jobs", masking())
    policy = {"policyName": "masking", "policyType": "DATA_PROTECTION_POLICY", "policyDocument": masking(), "scope": "ALL"}
    answers.put("DescribeAccountPolicies", {"accountPolicies": [policy]}, HOME)
    cloudwatch = account.client("cloudwatch")
    cloudwatch.put_metric_data(Namespace="AWS/Bedrock", MetricData=[{"MetricName": "Invocations", "Value": 3}])
    cloudwatch.put_metric_alarm(
        AlarmName="errors", EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold",
        Metrics=[
            {
                "Id": "m1", "ReturnData": True,
                "MetricStat": {"Metric": {"Namespace": "Jobs", "MetricName": "errors"}, "Period": 300, "Stat": "Sum"},
            }
        ],
    )
    alarms.composite(account, "trouble", 'ALARM("errors") OR ALARM("absent")', [])
    events = account.client("events")
    events.create_event_bus(Name="orders")
    events.put_rule(Name="keys", EventBusName="default", State="ENABLED", EventPattern='{"source":["aws.kms"]}')
    events.put_rule(Name="paid", EventBusName="orders", State="DISABLED", EventPattern='{"detail-type":["paid"]}')
    target = {"Id": "jobs", "Arn": f"arn:aws:sqs:{HOME}:{account.id}:jobs", "Input": '{"token":"hunter2-must-never-appear"}'}
    events.put_targets(Rule="keys", Targets=[target])
    link = {
        "Arn": f"arn:aws:oam:{HOME}:{account.id}:link/l", "Id": "l", "Label": "central", "ResourceTypes": ["AWS::Logs::LogGroup"],
        "SinkArn": f"arn:aws:oam:{HOME}:444455556666:sink/s",
    }
    answers.put("ListLinks", {"Items": [link]}, HOME)
    registry = {"RegistryArn": f"arn:aws:schemas:{HOME}:{account.id}:registry/orders", "RegistryName": "orders"}
    answers.put("ListRegistries", {"Registries": [registry]}, HOME)
    answers.put("GetResourcePolicy", {"Policy": document(), "RevisionId": "1"}, HOME)
