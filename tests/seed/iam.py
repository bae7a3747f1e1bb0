"""Users, keys, groups, roles and policies, with the ages that the emulator's API cannot set."""

import json

from moto.iam.models import AccessKeyLastUsed

from account import Account, document

AWS = "arn:aws:iam::aws:policy/"


def user(account: Account, name: str, password_used=None, mfa=False, tags=None) -> None:
    """A user; with `password_used` (days ago, or "never") it has a console password."""
    iam = account.client("iam")
    iam.create_user(UserName=name, Tags=tags or [])
    if password_used is not None:
        iam.create_login_profile(UserName=name, Password="Correct-Horse-7-Battery", PasswordResetRequired=False)
    stored = account.backend("iam").users[name]
    stored.create_date = account.ago(600)
    stored.soc2scan_password_changed = account.ago(40)
    if password_used not in (None, "never"):
        stored.password_last_used = account.ago(password_used)
    if mfa:
        device(account, name)


def device(account: Account, name: str) -> None:
    iam = account.client("iam")
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(UserName=name, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321")


def key(account: Account, name: str, age: float, used=None, active=True) -> str:
    """An access key, `age` days old and last used `used` days ago."""
    iam = account.client("iam")
    made = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    if not active:
        iam.update_access_key(UserName=name, AccessKeyId=made, Status="Inactive")
    stored = account.backend("iam").access_keys[made]
    stored.create_date = account.ago(age)
    if used is not None:
        stored.last_used = AccessKeyLastUsed(timestamp=account.ago(used), service="s3", region="us-east-1")
    return made


def policy(account: Account, name: str, *statements: dict) -> str:
    made = account.client("iam").create_policy(PolicyName=name, PolicyDocument=document(*statements))
    return made["Policy"]["Arn"]


def role(account: Account, name: str, trusted: str, attached=(), inline=None, used=2) -> str:
    """A role, last used `used` days ago (`None`: never)."""
    iam = account.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    for policy_arn in attached:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy_arn)
    for policy_name, statements in (inline or {}).items():
        iam.put_role_policy(RoleName=name, PolicyName=policy_name, PolicyDocument=document(*statements))
    stored = account.backend("iam").roles[role_id(account, name)]
    stored.create_date = account.ago(300)
    if used is not None:
        stored.last_used = account.ago(used)
        stored.last_used_region = "us-east-1"
    return arn


def role_id(account: Account, name: str) -> str:
    return account.client("iam").get_role(RoleName=name)["Role"]["RoleId"]


def provider(account: Account, url: str, audience: str) -> str:
    made = account.client("iam").create_open_id_connect_provider(
        Url=url, ClientIDList=[audience], ThumbprintList=["6938fd4d98bab03faadb97b34396831e3780aea1"]
    )
    return made["OpenIDConnectProviderArn"]


def from_service(service: str, **condition) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
