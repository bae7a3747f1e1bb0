"""The account that is being seeded: clients for it, the emulator's own objects behind it, and what tests must know."""

import datetime
import json
import os

import boto3
from botocore.config import Config
from moto.backends import get_backend

ACCOUNT = os.environ.get("MOTO_ACCOUNT_ID", "111122223333")
HOME = "us-east-1"
REGIONS = [HOME, "eu-west-1"]


class Account:
    """One emulated account at `url`."""

    def __init__(self, url: str):
        self.url = url
        self.id = ACCOUNT
        # Ids that the emulator chose, by the names that tests know them by.
        self.facts: dict[str, str] = {}
        self.now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        self._clients: dict = {}

    def client(self, service: str, region: str = HOME):
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = boto3.client(
                service,
                region_name=region,
                endpoint_url=self.url,
                aws_access_key_id="AKIASEEDSEEDSEEDSEED",
                aws_secret_access_key="seed",
                config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}, parameter_validation=False, inject_host_prefix=False),
            )
        return self._clients[key]

    def backend(self, service: str, region: str = "aws"):
        """The emulator's own state, for what its API cannot set: ages, last uses, the root user."""
        return get_backend(service)[self.id][region]

    def ago(self, days: float) -> datetime.datetime:
        return self.now - datetime.timedelta(days=days)

    def launched(self, instance: str, days: float, region: str = HOME) -> None:
        machine = self.backend("ec2", region).get_instance(instance)
        machine.launch_time = machine.nics[0].attach_time = self.ago(days)

    def made(self, image: str, days: float, region: str = HOME) -> None:
        self.backend("ec2", region).amis[image].creation_date = self.ago(days)

    def managed(self, instance: str, ping: str = "Online") -> dict:
        """What Systems Manager says of a machine."""
        return {
            "InstanceId": instance, "PingStatus": ping, "LastPingDateTime": self.ago(0.01), "AgentVersion": "3.3.3050.0",
            "IsLatestVersion": True, "PlatformType": "Linux", "PlatformName": "Amazon Linux", "ResourceType": "EC2Instance",
        }

    def patched(self, instance: str) -> dict:
        """What it says of the machine's patches."""
        return {
            "ComplianceType": "Patch", "ResourceType": "ManagedInstance", "ResourceId": instance, "Status": "COMPLIANT",
            "OverallSeverity": "UNSPECIFIED", "ExecutionSummary": {"ExecutionTime": self.ago(1), "ExecutionType": "Command"},
        }

    def name_the_rest(self) -> None:
        """Names what AWS makes by itself, by what it belongs to: the network of each region, the disks of machines."""
        named = {v: k for k, v in self.facts.items()}
        for region in REGIONS:
            self._keys_of_aws(region)
        for region in REGIONS:
            ec2 = self.client("ec2", region)
            vpcs = {v["VpcId"]: named.get(v["VpcId"], f"vpc-default-{region}") for v in ec2.describe_vpcs()["Vpcs"]}
            self._name(vpcs)
            self._name({s["SubnetId"]: f"{vpcs[s['VpcId']]}.subnet-{s['AvailabilityZone']}" for s in ec2.describe_subnets()["Subnets"]})
            for what, answer, key in (
                ("routes", ec2.describe_route_tables()["RouteTables"], "RouteTableId"),
                ("acl", ec2.describe_network_acls()["NetworkAcls"], "NetworkAclId"),
                ("default-group", ec2.describe_security_groups(Filters=DEFAULT)["SecurityGroups"], "GroupId"),
            ):
                self._name({item[key]: f"{vpcs[item['VpcId']]}.{what}" for item in answer})
            for gateway in ec2.describe_internet_gateways()["InternetGateways"]:
                self._name({gateway["InternetGatewayId"]: f"{vpcs[gateway['Attachments'][0]['VpcId']]}.gateway"})
            for flow_log in ec2.describe_flow_logs()["FlowLogs"]:
                self._name({flow_log["FlowLogId"]: f"{vpcs.get(flow_log['ResourceId'])}.flow-log"})
            for reservation in ec2.describe_instances()["Reservations"]:
                for instance in reservation["Instances"]:
                    owner = named.get(instance["InstanceId"], instance["InstanceId"])
                    disks = [m["Ebs"]["VolumeId"] for m in instance["BlockDeviceMappings"]]
                    self._name({disk: f"{owner}.disk-{n}" for n, disk in enumerate(disks)})
                    self._name({i["NetworkInterfaceId"]: f"{owner}.interface" for i in instance["NetworkInterfaces"]})
            for image in ec2.describe_images(Owners=["self"])["Images"]:
                for mapping in image["BlockDeviceMappings"]:
                    self._name({mapping["Ebs"]["SnapshotId"]: f"{named.get(image['ImageId'], image['ImageId'])}.snapshot"})

    def _keys_of_aws(self, region: str) -> None:
        """The emulator shows the keys that AWS makes for its services as the account's own."""
        keys = self.backend("kms", region).keys
        for alias in self.client("kms", region).list_aliases()["Aliases"]:
            if alias["AliasName"].startswith("alias/aws/") and alias.get("TargetKeyId") in keys:
                keys[alias["TargetKeyId"]].key_manager = "AWS"
                self.facts[f"{alias['AliasName'].replace('/', '.')}-{region}"] = alias["TargetKeyId"]

    def _name(self, ids: dict) -> None:
        known = set(self.facts.values())
        self.facts.update({name: made for made, name in ids.items() if made not in known})


DEFAULT = [{"Name": "group-name", "Values": ["default"]}]


def document(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resources="*", **more) -> dict:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def trust(principal, actions="sts:AssumeRole", **more) -> str:
    return document({"Effect": "Allow", "Principal": principal, "Action": actions, **more})


def tls_only(bucket: str) -> dict:
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def modern_tls(bucket: str) -> dict:
    old = {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
    return {**tls_only(bucket), "Sid": "ModernTls", "Condition": old}
