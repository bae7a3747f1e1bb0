"""Acme's second account, where engineers try things: small, loose, and not wholly readable in the demo."""

import iam
from account import Account, trust
from corrections import Root, set_root

EUROPE = "eu-west-1"


def seed(account: Account) -> None:
    set_root(account, Root(mfa=False, keys=[], created=account.ago(500)))
    client = account.client("iam")
    client.create_account_alias(AccountAlias="acme-sandbox")
    iam.role(
        account, "engineer", trust({"AWS": "arn:aws:iam::111122223333:root"}), attached=[iam.AWS + "PowerUserAccess"]
    )
    iam.user(account, "load-test")
    iam.key(account, "load-test", age=200, used=150)
    s3 = account.client("s3")
    for name in ("acme-sandbox-dumps", "acme-sandbox-notebooks"):
        s3.create_bucket(Bucket=name)
    kms = account.client("kms", EUROPE)
    for name in ("experiment", "notebooks"):
        kms.create_key(Description=name)
    ec2 = account.client("ec2", EUROPE)
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    made = ec2.create_security_group(GroupName="jupyter", Description="notebooks", VpcId=vpc)["GroupId"]
    everyone = {"IpProtocol": "tcp", "FromPort": 8888, "ToPort": 8888, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[everyone])
    ec2.create_volume(AvailabilityZone=f"{EUROPE}a", Size=50, VolumeType="gp3", Encrypted=False)
