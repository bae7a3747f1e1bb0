"""An account with something wrong of every kind, and beside each wrong thing its right twin.

What each resource is there for stands in its name; `tests/expected/vulnerable.tsv` says what is to be said of it.
"""

import json

import alarms
import answers
import balancers as balancing
import cloudfront
import config
import iam
import rds as databases_of
import s3
import stores
from account import HOME, Account, allow, document, tls_only, trust
from corrections import Root, set_root

VENDOR = "444455556666"
AWAY = "eu-west-1"


def seed(account: Account) -> None:
    set_root(
        account,
        Root(
            mfa=False,
            keys=[(account.ago(900), account.ago(3))],
            created=account.ago(1500),
            password_last_used=account.ago(2),
        ),
    )
    identities(account)
    keys(account)
    buckets(account)
    network(account)
    machines(account)
    balancers(account)
    databases(account)
    functions(account)
    watching(account)
    management(account)
    edges(account)
    alerting(account)
    policies(account)


def identities(account: Account) -> None:
    client = account.client("iam")
    client.create_account_alias(AccountAlias="vulnerable-example")
    client.update_account_password_policy(
        MinimumPasswordLength=8, RequireSymbols=False, RequireNumbers=True, RequireUppercaseCharacters=True,
        RequireLowercaseCharacters=True, AllowUsersToChangePassword=True,
    )
    iam.user(account, "console-with-mfa", password_used=1, mfa=True)
    iam.user(account, "console-without-mfa", password_used=1)
    iam.user(account, "console-idle", password_used=200, mfa=True)
    iam.user(account, "console-never", password_used="never", mfa=True)
    iam.user(account, "no-console")
    iam.user(account, "key-fresh")
    iam.user(account, "key-old")
    iam.user(account, "key-idle")
    iam.user(account, "key-inactive")
    iam.user(account, "key-pair")
    account.facts["key-fresh"] = iam.key(account, "key-fresh", age=10, used=1)
    account.facts["key-old"] = iam.key(account, "key-old", age=400, used=1)
    account.facts["key-idle"] = iam.key(account, "key-idle", age=80, used=60)
    account.facts["key-inactive"] = iam.key(account, "key-inactive", age=500, used=300, active=False)
    account.facts["key-pair-1"] = iam.key(account, "key-pair", age=20, used=1)
    account.facts["key-pair-2"] = iam.key(account, "key-pair", age=200, used=2)

    everything = iam.policy(account, "everything", allow("*"))
    iam.policy(account, "everything-unattached", allow("*"))
    but_denied = iam.policy(
        account, "everything-but-denied", allow("*"), {"Effect": "Deny", "Action": "*", "Resource": "*"}
    )
    all_but = iam.policy(account, "all-but-billing", {"Effect": "Allow", "NotAction": "aws-portal:*", "Resource": "*"})
    narrow = iam.policy(account, "narrow", allow(["s3:GetObject"], "arn:aws:s3:::hardened/*"))
    escalating = iam.policy(account, "escalating", allow(["iam:CreatePolicyVersion"]))
    passing = iam.policy(account, "passes-any-role", allow(["iam:PassRole"]))
    whole_service = iam.policy(account, "whole-service", allow("s3:*"))
    assuming = iam.policy(account, "assumes-any-role", allow("sts:AssumeRole"))
    silencing = iam.policy(account, "silences-trails", allow("cloudtrail:*"))
    unlocking = iam.policy(account, "decrypts-everything", allow(["kms:Decrypt"]))

    for name, attached in {
        "administrators": [iam.AWS + "AdministratorAccess"],
        "developers": [narrow, escalating, passing],
        "operators": [whole_service, assuming, silencing, unlocking, all_but, but_denied],
        "empty-group": [],
    }.items():
        client.create_group(GroupName=name)
        for arn in attached:
            client.attach_group_policy(GroupName=name, PolicyArn=arn)
    client.put_group_policy(GroupName="developers", PolicyName="inline-everything", PolicyDocument=document(allow("*")))
    client.add_user_to_group(GroupName="administrators", UserName="console-with-mfa")
    client.add_user_to_group(GroupName="developers", UserName="no-console")

    iam.user(account, "administrator-directly", password_used=1)
    client.attach_user_policy(UserName="administrator-directly", PolicyArn=iam.AWS + "AdministratorAccess")
    iam.user(account, "inline-administrator")
    client.put_user_policy(UserName="inline-administrator", PolicyName="root-in-disguise", PolicyDocument=document(allow("*")))

    iam.role(account, "application", iam.from_service("ec2.amazonaws.com"), attached=[narrow])
    client.create_instance_profile(InstanceProfileName="application")
    client.add_role_to_instance_profile(InstanceProfileName="application", RoleName="application")
    iam.role(account, "anyone", trust({"AWS": "*"}))
    iam.role(account, "vendor-without-external-id", trust({"AWS": f"arn:aws:iam::{VENDOR}:root"}), attached=[iam.AWS + "ReadOnlyAccess"])
    iam.role(
        account,
        "vendor-with-external-id",
        trust({"AWS": f"arn:aws:iam::{VENDOR}:root"}, Condition={"StringEquals": {"sts:ExternalId": "8f2c1"}}),
    )
    iam.role(account, "administrator-role", trust({"AWS": f"arn:aws:iam::{account.id}:root"}), attached=[iam.AWS + "AdministratorAccess"])
    iam.role(account, "custom-administrator-role", iam.from_service("lambda.amazonaws.com"), attached=[everything])
    iam.role(account, "inline-administrator-role", iam.from_service("lambda.amazonaws.com"), inline={"all": [allow("*")]})
    iam.role(account, "idle-role", iam.from_service("ec2.amazonaws.com"), used=300)
    github = iam.provider(account, "https://token.actions.githubusercontent.com", "sts.amazonaws.com")
    actions = "token.actions.githubusercontent.com"
    iam.role(
        account,
        "github-pinned",
        trust(
            {"Federated": github},
            "sts:AssumeRoleWithWebIdentity",
            Condition={"StringEquals": {f"{actions}:aud": "sts.amazonaws.com", f"{actions}:sub": "repo:acme/app:ref:refs/heads/main"}},
        ),
    )
    iam.role(
        account,
        "github-anyone",
        trust(
            {"Federated": github},
            "sts:AssumeRoleWithWebIdentity",
            Condition={"StringEquals": {f"{actions}:aud": "sts.amazonaws.com"}},
        ),
    )


def keys(account: Account) -> None:
    kms = account.client("kms")

    def key(name: str, rotated=False, **more) -> str:
        made = kms.create_key(Description=name, **more)["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=made)
        if rotated:
            kms.enable_key_rotation(KeyId=made)
        account.facts[f"kms-{name}"] = made
        return made

    own = {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account.id}:root"}, "Action": "kms:*", "Resource": "*"}
    key("rotated", rotated=True, Policy=document(own))
    key("not-rotated", Policy=document(own))
    everyone = {"Sid": "Everyone", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"}
    key("public", rotated=True, Policy=document(own, everyone))
    here = dict(everyone, Sid="Here", Condition={"StringEquals": {"kms:CallerAccount": account.id}})
    key("public-but-bound", rotated=True, Policy=document(own, here))
    key("asymmetric", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY", Policy=document(own))
    # What an enclave may decrypt: only a signed image, with nobody beside it; and an image, with the whole account beside it.
    image = {"kms:RecipientAttestation:ImageSha384": "ab" * 48}
    attested = {
        "Sid": "Enclave", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account.id}:root"}, "Action": "kms:Decrypt", "Resource": "*",
        "Condition": {"StringEqualsIgnoreCase": {**image, "kms:RecipientAttestation:PCR8": "cd" * 48}},
    }
    managed = dict(own, Sid="Managed", Action=["kms:Describe*", "kms:Get*", "kms:List*", "kms:Put*", "kms:Encrypt"])
    key("enclave-right", rotated=True, Policy=document(managed, attested))
    around = dict(attested, Condition={"StringEqualsIgnoreCase": image})
    key("enclave-around", rotated=True, Policy=document(own, around))
    leaving = key("leaving", rotated=True, Policy=document(own))
    kms.schedule_key_deletion(KeyId=leaving, PendingWindowInDays=7)


def buckets(account: Account) -> None:
    client = account.client("s3")
    away = account.client("s3", AWAY)

    def bucket(name: str) -> str:
        client.create_bucket(Bucket=name)
        return name

    def unblock(name: str) -> None:
        client.delete_public_access_block(Bucket=name)

    bucket("as-created")
    hardened = bucket("hardened")
    logs = bucket("access-logs")
    for name in (hardened, logs):
        s3.harden(account, name, account.facts["kms-rotated"])
    s3.access_logging(account, hardened, logs)

    read = {"Sid": "Read", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    name = bucket("public-by-policy")
    unblock(name)
    client.put_bucket_policy(Bucket=name, Policy=document({**read, "Resource": f"arn:aws:s3:::{name}/*"}))

    name = bucket("public-policy-blocked")
    client.put_bucket_policy(Bucket=name, Policy=document({**read, "Resource": f"arn:aws:s3:::{name}/*"}))

    name = bucket("organization-only")
    unblock(name)
    bound = {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg"}}
    client.put_bucket_policy(Bucket=name, Policy=document({**read, "Resource": f"arn:aws:s3:::{name}/*", "Condition": bound}))

    name = bucket("public-by-acl")
    unblock(name)
    client.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    client.put_bucket_acl(Bucket=name, ACL="public-read")

    name = bucket("writable-by-acl")
    unblock(name)
    client.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]})
    owner = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"
    everyone = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    # The emulator makes one grant of ACL="public-read-write", and shows only the first half of it.
    grants = [{"Grantee": everyone, "Permission": permission} for permission in ("READ", "WRITE")]
    client.put_bucket_acl(Bucket=name, AccessControlPolicy={"Owner": {"ID": owner}, "Grants": grants})

    name = bucket("tls-for-objects-only")
    partly = tls_only(name)
    partly["Resource"] = f"arn:aws:s3:::{name}/*"
    client.put_bucket_policy(Bucket=name, Policy=document(partly))
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})

    away.create_bucket(Bucket="in-ireland", CreateBucketConfiguration={"LocationConstraint": AWAY})
    away.put_bucket_policy(Bucket="in-ireland", Policy=document(tls_only("in-ireland")))
    expire = {"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}
    answers.directory_bucket(account, "expiring--use1-az4--x-s3", expire)
    answers.directory_bucket(account, "keeping--use1-az4--x-s3", {**expire, "Status": "Disabled"})


WORLD = [{"CidrIp": "0.0.0.0/0"}]
WORLD6 = [{"CidrIpv6": "::/0"}]


def network(account: Account) -> None:
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    account.facts["vpc-logged"] = vpc
    account.facts["vpc-default"] = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    account.facts["vpc-default-away"] = account.client("ec2", AWAY).describe_vpcs()["Vpcs"][0]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone=f"{HOME}a")["Subnet"]["SubnetId"]
    account.facts["subnet"] = subnet
    other = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.2.0/24", AvailabilityZone=f"{HOME}b")["Subnet"]["SubnetId"]
    account.facts["subnet-b"] = other
    account.client("logs").create_log_group(logGroupName="vpc")
    ec2.create_flow_logs(
        ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL", LogDestinationType="cloud-watch-logs", LogGroupName="vpc",
        DeliverLogsPermissionArn=f"arn:aws:iam::{account.id}:role/application",
    )
    flows(account, subnet, other)
    default_groups(account, vpc)

    def group(name: str, *rules: dict) -> str:
        made = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        if rules:
            ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=list(rules))
        account.facts[f"sg-{name}"] = made
        return made

    def tcp(low: int, high: int, **source) -> dict:
        return {"IpProtocol": "tcp", "FromPort": low, "ToPort": high, **source}

    group("closed")
    group("web", tcp(443, 443, IpRanges=WORLD, Ipv6Ranges=WORLD6))
    group("ssh-from-everywhere", tcp(22, 22, IpRanges=WORLD))
    group("ssh-from-everywhere-v6", tcp(22, 22, Ipv6Ranges=WORLD6))
    group("ssh-from-office", tcp(22, 22, IpRanges=[{"CidrIp": "198.51.100.0/24"}]))
    group("ssh-from-two-halves", tcp(22, 22, IpRanges=[{"CidrIp": "0.0.0.0/1"}, {"CidrIp": "128.0.0.0/1"}]))
    group("rdp-in-a-range", tcp(3000, 4000, IpRanges=WORLD))
    group("all-tcp", tcp(0, 65535, IpRanges=WORLD))
    group("all-protocols", {"IpProtocol": "-1", "IpRanges": WORLD})
    group("postgres", tcp(5432, 5432, IpRanges=WORLD))
    group("udp-22", {"IpProtocol": "udp", "FromPort": 22, "ToPort": 22, "IpRanges": WORLD})
    group("ping", {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": WORLD})

    def prefixes(name: str, cidr: str) -> str:
        made = ec2.create_managed_prefix_list(
            PrefixListName=name, AddressFamily="IPv4", MaxEntries=5, Entries=[{"Cidr": cidr, "Description": name}]
        )["PrefixList"]["PrefixListId"]
        account.facts[f"pl-{name}"] = made
        return made

    everyone, office = prefixes("everyone", "0.0.0.0/0"), prefixes("office", "198.51.100.0/24")
    group("mysql-from-list", tcp(3306, 3306, PrefixListIds=[{"PrefixListId": everyone}]))
    group("mysql-from-office-list", tcp(3306, 3306, PrefixListIds=[{"PrefixListId": office}]))


def flows(account: Account, *subnets: str) -> None:
    """Flow logs of the subnets, to a public bucket and to one that forgets."""
    ec2, client = account.client("ec2"), account.client("s3")
    week = {"ID": "week", "Status": "Enabled", "Filter": {"Prefix": "AWSLogs/"}, "Expiration": {"Days": 7}}
    client.put_bucket_lifecycle_configuration(Bucket="organization-only", LifecycleConfiguration={"Rules": [week]})
    for name, subnet, bucket in (
        ("flow-forgotten", subnets[0], "organization-only"), ("flow-public", subnets[1], "public-by-policy"),
    ):
        made = ec2.create_flow_logs(
            ResourceIds=[subnet], ResourceType="Subnet", TrafficType="ALL", LogDestinationType="s3",
            LogDestination=f"arn:aws:s3:::{bucket}",
        )
        account.facts[name] = made["FlowLogIds"][0]


def default_groups(account: Account, emptied: str) -> None:
    """AWS gives every default group a rule that refers to itself; the emulator does not."""
    for region in (HOME, AWAY):
        ec2 = account.client("ec2", region)
        groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"]
        for group in groups:
            if group["VpcId"] == emptied:
                account.facts["sg-default-emptied"] = group["GroupId"]
                if group["IpPermissionsEgress"]:
                    ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
                continue
            own = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group["GroupId"], "UserId": account.id}]}
            ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[own])
            account.facts["sg-default" if region == HOME else "sg-default-away"] = group["GroupId"]


def machines(account: Account) -> None:
    ec2 = account.client("ec2")
    ec2.enable_ebs_encryption_by_default()
    zone = f"{HOME}a"

    def volume(name: str, **more) -> str:
        made = ec2.create_volume(AvailabilityZone=zone, Size=8, VolumeType="gp3", **more)["VolumeId"]
        account.facts[f"vol-{name}"] = made
        return made

    # Before the default of the region, as an old volume would be.
    ec2.disable_ebs_encryption_by_default()
    encrypted, plain = volume("encrypted", Encrypted=True), volume("plain", Encrypted=False)
    ec2.enable_ebs_encryption_by_default()

    def snapshot(name: str, of: str, **attribute) -> None:
        made = ec2.create_snapshot(VolumeId=of, Description=name)["SnapshotId"]
        account.facts[f"snap-{name}"] = made
        if attribute:
            ec2.modify_snapshot_attribute(
                SnapshotId=made, Attribute="createVolumePermission", OperationType="add", **attribute
            )

    snapshot("encrypted", encrypted)
    snapshot("plain", plain)
    snapshot("public", plain, GroupNames=["all"])
    snapshot("shared", plain, UserIds=[VENDOR])

    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]

    def instance(name: str, tokens: str, protected: bool, group: str = "closed", **more) -> str:
        made = ec2.run_instances(
            ImageId=image,
            MinCount=1,
            MaxCount=1,
            InstanceType="t3.micro",
            SubnetId=account.facts["subnet"],
            SecurityGroupIds=[account.facts[f"sg-{group}"]],
            MetadataOptions={"HttpTokens": tokens, "HttpEndpoint": "enabled"},
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}, {"Key": "critical", "Value": "yes"}]}
            ],
            UserData="#!/bin/sh\nexport DB_PASSWORD=hunter2-must-never-appear",
            **more,
        )["Instances"][0]["InstanceId"]
        ec2.modify_instance_attribute(InstanceId=made, DisableApiTermination={"Value": protected})
        account.facts[f"i-{name}"] = made
        return made

    instance("imds-v1", "optional", protected=False)
    profile = {"Name": "application"}
    instance("behind-front", "required", protected=True, group="ssh-from-everywhere", IamInstanceProfile=profile)
    current = instance("imds-v2", "required", protected=True, group="web")
    own = ec2.create_image(InstanceId=current, Name="public-image")["ImageId"]
    ec2.modify_image_attribute(ImageId=own, LaunchPermission={"Add": [{"Group": "all"}]})
    account.facts["ami-public"] = own
    account.facts["ami-private"] = ec2.create_image(InstanceId=current, Name="private-image")["ImageId"]
    account.made(image, 300)
    account.launched(account.facts["i-imds-v1"], 400)
    account.launched(account.facts["i-imds-v2"], 400)
    account.launched(account.facts["i-behind-front"], 10)
    account.backend("ec2", HOME).get_instance(account.facts["i-imds-v1"]).image_id = "ami-0d0d0d0d0d0d0d0d0"
    templates(account)


def templates(account: Account) -> None:
    """One that makes weak machines, and one whose weak version nothing uses any more."""
    ec2 = account.client("ec2")
    weak = {
        "InstanceType": "t3.micro", "UserData": "aHVudGVyMi1tdXN0LW5ldmVyLWFwcGVhcg==",
        "MetadataOptions": {"HttpTokens": "optional"},
        "NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": True, "Groups": [account.facts["sg-ping"]]}],
    }
    right = {"InstanceType": "t3.micro", "MetadataOptions": {"HttpTokens": "required"}}
    for name in ("template-weak", "template-mended"):
        made = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=weak)["LaunchTemplate"]
        account.facts[name] = made["LaunchTemplateId"]
    mended = account.facts["template-mended"]
    ec2.create_launch_template_version(LaunchTemplateId=mended, LaunchTemplateData=right)
    ec2.modify_launch_template(LaunchTemplateId=mended, DefaultVersion="2")


def management(account: Account) -> None:
    """Systems Manager reaches one machine, and has lost another; a way out of the private subnets; models are called."""
    ec2 = account.client("ec2")
    lost = account.managed(account.facts["i-behind-front"], "ConnectionLost")
    answers.put("DescribeInstanceInformation", {"InstanceInformationList": [account.managed(account.facts["i-imds-v2"]), lost]}, HOME)
    answers.put("ListResourceComplianceSummaries", {"ResourceComplianceSummaryItems": [account.patched(account.facts["i-imds-v2"])]}, HOME)
    vpc = account.facts["vpc-logged"]
    gateway = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    mine = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    main = ec2.describe_route_tables(Filters=mine)["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=main, DestinationIpv6CidrBlock="::/0", EgressOnlyInternetGatewayId=gateway)
    called = {"MetricName": "Invocations", "Value": 3, "Dimensions": [{"Name": "ModelId", "Value": "amazon.nova-lite-v1:0"}]}
    account.client("cloudwatch").put_metric_data(Namespace="AWS/Bedrock", MetricData=[called])
    endpoints = []
    for name, number, group in (("vpn-logged", 1, "vpc"), ("vpn-log-gone", 2, "deleted")):
        account.facts[name] = f"cvpn-endpoint-0123456789abcdef{number}"
        endpoint = {
            "ClientVpnEndpointId": account.facts[name], "Description": name, "VpcId": vpc, "Status": {"Code": "available"},
            "CreationTime": "2026-01-05T12:00:00", "ConnectionLogOptions": {"Enabled": True, "CloudwatchLogGroup": group},
        }
        endpoints.append(endpoint)
    answers.put("DescribeClientVpnEndpoints", {"ClientVpnEndpoints": endpoints}, HOME)


def balancers(account: Account) -> None:
    """A public Network Load Balancer that hands SSH through to a private machine, and others that do little right."""
    ec2 = account.client("ec2")
    vpc = account.facts["vpc-logged"]
    public = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.3.0/24", AvailabilityZone=f"{HOME}a")["Subnet"]["SubnetId"]
    account.facts["subnet-public"] = public
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    routes = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    account.facts["routes-public"] = routes
    ec2.create_route(RouteTableId=routes, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=routes, SubnetId=public)

    front = balancing.balancer(account, "front", "network", [public], scheme="internet-facing")
    ssh = balancing.group(account, "ssh", vpc, "TCP", 22, [account.facts["i-behind-front"]])
    balancing.listener(account, "front-ssh", front, "TCP", 2222, balancing.forward(ssh))

    subnets = [public, account.facts["subnet-b"]]
    web = balancing.balancer(account, "web", "application", subnets, [account.facts["sg-all-tcp"]], "internet-facing")
    pages = balancing.group(account, "pages", vpc, "HTTP", 443, [account.facts["i-imds-v2"]])
    balancing.listener(account, "web-plain", web, "HTTP", 80, balancing.forward(pages))

    plain = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 80}
    account.client("elb").create_load_balancer(
        LoadBalancerName="old", Listeners=[plain], Subnets=[account.facts["subnet"]],
        SecurityGroups=[account.facts["sg-closed"]], Scheme="internal",
    )
    account.facts["lb-old"] = "old"


def databases(account: Account) -> None:
    rds = account.client("rds")
    key = f"arn:aws:kms:{HOME}:{account.id}:key/{account.facts['kms-rotated']}"
    rds.create_db_subnet_group(
        DBSubnetGroupName="private", DBSubnetGroupDescription="private",
        SubnetIds=[account.facts["subnet"], account.facts["subnet-b"]],
    )
    rds.create_db_instance(
        DBInstanceIdentifier="db-hardened", DBInstanceClass="db.t3.medium", Engine="postgres", EngineVersion="17.5",
        StorageEncrypted=True, KmsKeyId=key, PubliclyAccessible=False, MultiAZ=True, DeletionProtection=True,
        BackupRetentionPeriod=35, AutoMinorVersionUpgrade=True, CopyTagsToSnapshot=True, Port=6432,
        EnableIAMDatabaseAuthentication=True, EnableCloudwatchLogsExports=["postgresql", "upgrade"],
        MasterUsername="app_owner", ManageMasterUserPassword=True, AllocatedStorage=20, DBSubnetGroupName="private",
        DBParameterGroupName=databases_of.refuse_plain_connections(account, HOME, "tls-only", "postgres17"),
        VpcSecurityGroupIds=[account.facts["sg-closed"]],
    )
    common = {"MasterUsername": "admin", "MasterUserPassword": "correct-horse-battery", "AllocatedStorage": 20}
    rds.create_db_instance(
        DBInstanceIdentifier="db-plain-public", DBInstanceClass="db.t3.medium", Engine="mysql", EngineVersion="5.7.44", StorageEncrypted=False,
        PubliclyAccessible=True, MultiAZ=False, DeletionProtection=False, BackupRetentionPeriod=0,
        AutoMinorVersionUpgrade=False, **common,
    )
    databases_of.complete(account, HOME, "db-hardened", monitoring=60)
    databases_of.complete(account, HOME, "db-plain-public")
    for name, value in (("audited", "all"), ("not-audited", "none")):
        family = "aurora-postgresql16"
        rds.create_db_cluster_parameter_group(DBClusterParameterGroupName=name, DBParameterGroupFamily=family, Description=name)
        statements = {"ParameterName": "pgaudit.log", "ParameterValue": value, "ApplyMethod": "immediate"}
        library = {"ParameterName": "shared_preload_libraries", "ParameterValue": "pgaudit", "ApplyMethod": "pending-reboot"}
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=name, Parameters=[statements, library])
    cluster = {
        "MasterUserPassword": "correct-horse-battery", "Engine": "aurora-postgresql", "EngineVersion": "16.6",
        "AvailabilityZones": [f"{HOME}a", f"{HOME}b"],
    }
    rds.create_db_cluster(
        DBClusterIdentifier="cluster-hardened", StorageEncrypted=True, KmsKeyId=key, DeletionProtection=True,
        BackupRetentionPeriod=35, MasterUsername="app_owner", DBClusterParameterGroupName="audited",
        EnableIAMDatabaseAuthentication=True, EnableCloudwatchLogsExports=["postgresql"], **cluster,
    )
    rds.create_db_cluster(
        DBClusterIdentifier="cluster-plain", StorageEncrypted=False, DeletionProtection=False, BackupRetentionPeriod=1,
        MasterUsername="postgres", DBClusterParameterGroupName="not-audited", **cluster,
    )
    for name, of in {"rds-encrypted": "db-hardened", "rds-plain": "db-plain-public", "rds-public": "db-plain-public"}.items():
        rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=of)
    rds.modify_db_snapshot_attribute(DBSnapshotIdentifier="rds-public", AttributeName="restore", ValuesToAdd=["all"])
    rds.modify_db_snapshot_attribute(DBSnapshotIdentifier="rds-plain", AttributeName="restore", ValuesToAdd=[VENDOR])
    rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="cluster-snapshot-public", DBClusterIdentifier="cluster-plain")
    rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier="cluster-snapshot-public", AttributeName="restore", ValuesToAdd=["all"]
    )


def functions(account: Account) -> None:
    client = account.client("lambda")
    role = f"arn:aws:iam::{account.id}:role/application"

    def function(name: str, runtime="python3.13") -> str:
        client.create_function(
            FunctionName=name, Runtime=runtime, Role=role, Handler="main.handler", Code={"ZipFile": CODE},
            Environment={"Variables": {"API_TOKEN": "hunter2-must-never-appear"}},
        )
        return name

    function("private")
    function("old-runtime", runtime="python3.7")
    for name in ("private", "old-runtime"):
        client.tag_resource(Resource=f"arn:aws:lambda:{HOME}:{account.id}:function:{name}", Tags={"critical": "yes"})
    client.put_function_concurrency(FunctionName="private", ReservedConcurrentExecutions=50)
    function("public")
    client.add_permission(FunctionName="public", StatementId="everyone", Action="lambda:InvokeFunction", Principal="*")
    function("called-by-bucket")
    client.add_permission(
        FunctionName="called-by-bucket", StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::hardened", SourceAccount=account.id,
    )
    function("open-url")
    made = client.create_function_url_config(FunctionName="open-url", AuthType="NONE")
    account.facts["url-open"] = made["FunctionUrl"]
    function("signed-url")
    made = client.create_function_url_config(FunctionName="signed-url", AuthType="AWS_IAM")
    account.facts["url-signed"] = made["FunctionUrl"]


# An empty zip file: the end of a central directory with no entries.
CODE = b"PK\x05\x06" + bytes(18)


def watching(account: Account) -> None:
    s3.trail_bucket(account, "trail-logs")
    trails = account.client("cloudtrail")
    account.client("sns").create_topic(Name="trail-topic")
    trails.create_trail(
        Name="everywhere", S3BucketName="trail-logs", IsMultiRegionTrail=True, IncludeGlobalServiceEvents=True,
        EnableLogFileValidation=True, KmsKeyId=f"arn:aws:kms:{HOME}:{account.id}:key/{account.facts['kms-rotated']}",
    )
    trails.start_logging(Name="everywhere")
    trails.create_trail(Name="weak", S3BucketName="trail-logs", IsMultiRegionTrail=False, EnableLogFileValidation=False)
    trails.start_logging(Name="weak")
    trails.create_trail(Name="stopped", S3BucketName="trail-logs", IsMultiRegionTrail=True, EnableLogFileValidation=True)

    account.facts["detector"] = account.client("guardduty").create_detector(
        Enable=True, FindingPublishingFrequency="FIFTEEN_MINUTES"
    )["DetectorId"]
    config.recorder(account, HOME, "trail-logs")
    account.client("ecs").create_cluster(clusterName="jobs")
    account.client("eks").create_cluster(
        name="shop", roleArn=f"arn:aws:iam::{account.id}:role/application", resourcesVpcConfig={"subnetIds": []},
    )


def edges(account: Account) -> None:
    sns = account.client("sns")

    def topic(name: str, policy: dict | None = None, **attributes) -> str:
        arn = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
        if policy:
            sns.set_topic_attributes(
                TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [{**policy, "Resource": arn}]})
            )
        return arn

    topic("topic-private", KmsMasterKeyId="alias/aws/sns")
    topic("topic-public", {"Sid": "Everyone", "Effect": "Allow", "Principal": "*", "Action": "SNS:Publish"})
    owner = {"StringEquals": {"AWS:SourceOwner": account.id}}
    arn = topic("topic-bound", {"Sid": "Owner", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SNS:Publish", "Condition": owner})
    for protocol in ("http", "https"):
        made = sns.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=f"{protocol}://hooks.example.com/alarm")
        account.facts[f"subscription-{protocol}"] = made["SubscriptionArn"]

    account.facts["distribution-plain"] = cloudfront.distribution(account, "plain", "allow-all", None)
    account.facts["distribution-bucket"] = cloudfront.distribution(account, "bucket", "https-only", None, bucket="hardened")
    account.facts["distribution-tls"] = cloudfront.distribution(account, "tls", "redirect-to-https", "TLSv1.2_2021")


def alerting(account: Account) -> None:
    """Chains from events to people, each broken at another link; the one on KMS keys is whole."""
    logs, cloudwatch, sns = account.client("logs"), account.client("cloudwatch"), account.client("sns")
    logs.create_log_group(logGroupName="trail")
    logs.put_retention_policy(logGroupName="trail", retentionInDays=30)
    logs.create_log_group(logGroupName="payments", tags={"data-classification": "confidential"})
    logs.put_retention_policy(logGroupName="payments", retentionInDays=365)
    for name in ("customers-masked", "customers-plain"):
        logs.create_log_group(logGroupName=name, tags={"data-classification": "personal"})
        logs.put_retention_policy(logGroupName=name, retentionInDays=365)
    answers.data_protection("customers-masked", stores.masking())
    account.client("cloudtrail").update_trail(
        Name="everywhere", CloudWatchLogsLogGroupArn=f"arn:aws:logs:{HOME}:{account.id}:log-group:trail:*",
        CloudWatchLogsRoleArn=f"arn:aws:iam::{account.id}:role/application",
    )
    heard = sns.create_topic(Name="alarms-heard")["TopicArn"]
    unheard = sns.create_topic(Name="alarms-unheard", Attributes={"KmsMasterKeyId": "alias/aws/sns"})["TopicArn"]
    made = sns.subscribe(TopicArn=heard, Protocol="https", Endpoint="https://hooks.example.com/heard")
    account.facts["subscription-heard"] = made["SubscriptionArn"]

    def alarm(name: str, **other) -> None:
        cloudwatch.put_metric_alarm(
            **{
                "AlarmName": name, "Namespace": "Security", "MetricName": name, "Statistic": "Sum", "Period": 300,
                "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "AlarmActions": [heard], **other,
            }
        )

    for name, pattern, other in (
        ("root-muted", '{ $.userIdentity.type = "Root" }', {"ActionsEnabled": False}),
        ("mfa-threshold", '{ $.eventName = "ConsoleLogin" && $.additionalEventData.MFAUsed != "Yes" }', {"Threshold": 5}),
        ("trail-unheard", '{ $.eventSource = "cloudtrail.amazonaws.com" }', {"AlarmActions": [unheard]}),
        ("keys-whole", '{ $.eventSource = kms* && ($.eventName=ScheduleKeyDeletion || $.eventName=DisableKey) }', {}),
        ("groups-narrow", '{ $.eventName = "Authorize*" }', {}),
        ("routes-silent", '{ $.eventName = "*Route*" }', {"AlarmActions": []}),
    ):
        logs.put_metric_filter(
            logGroupName="trail", filterName=name, filterPattern=pattern,
            metricTransformations=[{"metricNamespace": "Security", "metricName": name, "metricValue": "1"}],
        )
        alarm(name, **other)
    alarm("action-gone", AlarmActions=[f"arn:aws:sns:{HOME}:{account.id}:gone"])
    alarms.composite(account, "composite-silent", 'ALARM("action-gone")', [], enabled=False)
    alarms.composite(account, "composite-heard", 'ALARM("action-gone")', [heard])
    alarm("stale")
    cloudwatch.set_alarm_state(AlarmName="stale", StateValue="INSUFFICIENT_DATA", StateReason="no data")
    account.backend("cloudwatch", HOME).alarms["stale"].state_updated_timestamp = account.ago(30)

    logs.put_resource_policy(policyName="open", policyDocument=document(allow("logs:PutLogEvents", Principal="*")))
    events = account.client("events")
    events.create_event_bus(Name="open")
    bus = f"arn:aws:events:{HOME}:{account.id}:event-bus/open"
    policy = allow("events:PutEvents", Principal="*")
    events.put_permission(EventBusName="open", Policy=document({**policy, "Resource": bus, "Sid": "Everyone"}))
    link = {"Arn": f"arn:aws:oam:{HOME}:{account.id}:link/l", "Id": "l", "Label": "away", "ResourceTypes": ["AWS::Logs::LogGroup"]}
    answers.put("ListLinks", {"Items": [{**link, "SinkArn": f"arn:aws:oam:{HOME}:{VENDOR}:sink/s"}]}, HOME)


def policies(account: Account) -> None:
    """What has a policy of its own, for everybody, for a vendor and for nobody else."""
    queue = f"arn:aws:sqs:{HOME}:{account.id}:queue-public"
    open_to_all = document(stores.everybody("SQS:SendMessage", queue))
    account.client("sqs").create_queue(QueueName="queue-public", Attributes={"Policy": open_to_all, "SqsManagedSseEnabled": "false"})
    redriven = stores.dead_letters(account, "queue-failed", f"arn:aws:sns:{HOME}:{account.id}:alarms-heard")
    stores.queue(account, "queue-private", **redriven)
    stores.secret(account, "secret-public", stores.everybody("secretsmanager:GetSecretValue"))
    stores.secret(account, "secret-shared", stores.one_account(VENDOR, "secretsmanager:*"))
    stores.secret(account, "secret-private")
    [managed] = [s["Name"] for s in account.client("secretsmanager").list_secrets()["SecretList"] if s["Name"].startswith("rds!")]
    account.facts["secret-of-db-hardened"] = managed
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    stores.repository(account, "repository-public", stores.everybody(pull))
    stores.repository(account, "repository-shared", stores.one_account(VENDOR, pull))
    stores.repository(account, "repository-private")
    stores.vault(account, "vault-shared", stores.one_account(VENDOR, "backup:CopyIntoBackupVault"))
    stores.vault(account, "vault-public", stores.everybody("backup:CopyIntoBackupVault"))
    stores.vault(account, "vault-private")
    stores.domain(account, "domain-public", False, {**stores.everybody("es:*"), "Principal": {"AWS": "*"}})
    stores.domain(account, "domain-private", True, stores.one_account(account.id, "es:*"), subnet=account.facts["subnet"])
    stores.table(account, "table-shared", stores.one_account(VENDOR, "dynamodb:GetItem"))
    stores.table(account, "table-private")
    stores.file_system(account, "files-open")
    mount = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    everybody = {**stores.everybody(mount), "Condition": {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}}
    stores.file_system(account, "files-anonymous", stores.plain_http_denied("*", "*"), everybody)
    stores.file_system(account, "files-private", stores.plain_http_denied("*", "*"), stores.one_account(account.id, mount))
    doors(account)


def doors(account: Account) -> None:
    """Buckets that hand over to their access points, which let everybody in or do not."""
    client = account.client("s3")
    for name, blocked in (("public-by-access-point", False), ("access-point-blocked", True)):
        client.create_bucket(Bucket=name)
        client.delete_public_access_block(Bucket=name)
        resources = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
        delegated = {"StringEquals": {"s3:DataAccessPointAccount": account.id}}
        hand_over = {**stores.everybody("*", resources), "Principal": {"AWS": "*"}, "Condition": delegated}
        client.put_bucket_policy(Bucket=name, Policy=document(hand_over))
        point = f"door-{name}"
        arn = f"arn:aws:s3:{HOME}:{account.id}:accesspoint/{point}"
        stores.access_point(account, point, name, stores.everybody("s3:GetObject", f"{arn}/object/*"), blocked)
    client.put_bucket_tagging(
        Bucket="access-point-blocked", Tagging={"TagSet": [{"Key": "data-classification", "Value": "confidential"}]}
    )
    control = stores.one_account(VENDOR, ["s3:GetObject", "s3:Put*"], ["arn:aws:s3:::as-created", "arn:aws:s3:::as-created/*"])
    client.put_bucket_policy(Bucket="as-created", Policy=document(control))
    client.put_bucket_tagging(Bucket="as-created", Tagging={"TagSet": [{"Key": "data-classification", "Value": "record"}]})
    own = stores.one_account(account.id, "s3:GetObject")
    stores.multi_region_access_point(account, "everywhere-open", ["access-point-blocked"], False, own)
    stores.multi_region_access_point(account, "everywhere-blocked", ["hardened"], True)
