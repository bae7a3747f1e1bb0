"""Queues, secrets, repositories, vaults, search domains, tables and file systems: what has a policy of its own."""

import json

from account import HOME, Account, document

import answers


def plain_http_denied(action: str, resource: str) -> dict:
    return {
        "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def everybody(action, resource="*") -> dict:
    return {"Sid": "Everybody", "Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource}


def one_account(account: str, action, resource="*") -> dict:
    return {
        "Sid": "OneAccount", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": action,
        "Resource": resource,
    }


def queue(account: Account, name: str, *statements: dict, encrypted=True, region: str = HOME, **more: str) -> str:
    """A queue that refuses plain HTTP; its ARN."""
    arn = f"arn:aws:sqs:{region}:{account.id}:{name}"
    policy = document(plain_http_denied("sqs:*", arn), *statements)
    attributes = {"Policy": policy, "SqsManagedSseEnabled": "true" if encrypted else "false", **more}
    account.client("sqs", region).create_queue(QueueName=name, Attributes=attributes)
    return arn


def dead_letters(account: Account, name: str, action: str) -> dict:
    """A dead-letter queue with an alarm that takes the action; the attributes of a queue that uses it."""
    failed = queue(account, name, MessageRetentionPeriod="1209600")
    account.client("cloudwatch").put_metric_alarm(
        AlarmName=name, Namespace="AWS/SQS", MetricName="ApproximateNumberOfMessagesVisible", Statistic="Maximum",
        Dimensions=[{"Name": "QueueName", "Value": name}], Period=300, EvaluationPeriods=1, Threshold=0,
        ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching", AlarmActions=[action],
    )
    return {"RedrivePolicy": json.dumps({"deadLetterTargetArn": failed, "maxReceiveCount": 5})}


def masking() -> str:
    """A data protection policy that masks addresses of mail."""
    mail = ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"]
    audit = {"Sid": "Audit", "DataIdentifier": mail, "Operation": {"Audit": {"FindingsDestination": {}}}}
    mask = {"Sid": "Mask", "DataIdentifier": mail, "Operation": {"Deidentify": {"MaskConfig": {}}}}
    return json.dumps({"Name": "masking", "Version": "2021-06-01", "Statement": [audit, mask]})


def secret(account: Account, name: str, *statements: dict) -> None:
    client = account.client("secretsmanager")
    client.create_secret(Name=name, SecretString="hunter2-must-never-appear")
    if statements:
        client.put_resource_policy(SecretId=name, ResourcePolicy=document(*statements))


def repository(account: Account, name: str, *statements: dict) -> None:
    client = account.client("ecr")
    client.create_repository(repositoryName=name)
    if statements:
        policy = document(*({k: v for k, v in s.items() if k != "Resource"} for s in statements))
        client.set_repository_policy(repositoryName=name, policyText=policy)


def vault(account: Account, name: str, *statements: dict) -> None:
    account.client("backup").create_backup_vault(BackupVaultName=name)
    if statements:
        answers.vault_policy(name, document(*statements))


def domain(account: Account, name: str, hardened: bool, *statements: dict, subnet: str = "") -> None:
    more = {"VPCOptions": {"SubnetIds": [subnet]}} if subnet else {}
    tls = "Policy-Min-TLS-1-2-PFS-2023-10" if hardened else "Policy-Min-TLS-1-0-2019-07"
    account.client("opensearch").create_domain(
        DomainName=name, EngineVersion="OpenSearch_2.19", AccessPolicies=document(*statements) if statements else "",
        EncryptionAtRestOptions={"Enabled": hardened}, NodeToNodeEncryptionOptions={"Enabled": hardened},
        DomainEndpointOptions={"EnforceHTTPS": hardened, "TLSSecurityPolicy": tls},
        AdvancedSecurityOptions={"Enabled": hardened, "InternalUserDatabaseEnabled": False}, **more,
    )
    if subnet:
        # The emulator does not look up which VPC a subnet is of.
        made = account.backend("opensearch", HOME).domains[name]
        made.vpc_options["VPCId"] = account.client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]


def table(account: Account, name: str, *statements: dict) -> None:
    client = account.client("dynamodb")
    made = client.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    if statements:
        client.put_resource_policy(ResourceArn=made["TableDescription"]["TableArn"], Policy=document(*statements))


def file_system(account: Account, name: str, *statements: dict) -> str:
    client = account.client("efs")
    made = client.create_file_system(CreationToken=name, Encrypted=True, Tags=[{"Key": "Name", "Value": name}])["FileSystemId"]
    account.facts[name] = made
    # The emulator's times have more digits than a number of seconds can be compared in.
    stored = account.backend("efs", HOME).file_systems_by_id[made]
    stored.creation_time = int(stored.creation_time)
    if statements:
        client.put_file_system_policy(FileSystemId=made, Policy=document(*statements))
    return made


def access_point(account: Account, name: str, bucket: str, policy: dict, blocked: bool) -> None:
    # boto3 puts the account's id in front of the host name, which has no address here.
    points = account.backend("s3control")
    points.create_access_point(account.id, name, bucket, {}, block(blocked))
    points.put_access_point_policy(account.id, name, json.dumps({"Version": "2012-10-17", "Statement": [policy]}))


def multi_region_access_point(account: Account, name: str, buckets: list[str], blocked: bool, *statements: dict) -> None:
    points = account.backend("s3control")
    regions = [{"Bucket": bucket} for bucket in buckets]
    points.create_multi_region_access_point(account.id, name, block(blocked), regions, HOME)
    if statements:
        points.put_multi_region_access_point_policy(account.id, name, document(*statements), HOME)


def block(on: bool) -> dict:
    flags = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return dict.fromkeys(flags, on)
