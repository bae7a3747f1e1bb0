"""Load balancers, as the accounts share the making of them."""

from account import HOME, Account


def balancer(
    account: Account, name: str, kind: str, subnets: list[str], groups: list[str] | None = None, scheme: str = "internal", **attributes
) -> str:
    """A load balancer with its attributes: `deletion_protection__enabled="true"` sets `deletion_protection.enabled`."""
    client = account.client("elbv2")
    more = {"SecurityGroups": groups} if groups else {}
    made = client.create_load_balancer(Name=name, Type=kind, Subnets=subnets, Scheme=scheme, **more)["LoadBalancers"][0]
    # The emulator takes each of its answers for a step towards being active.
    client.describe_load_balancers(LoadBalancerArns=[made["LoadBalancerArn"]])
    if attributes:
        pairs = [{"Key": key.replace("__", "."), "Value": value} for key, value in attributes.items()]
        client.modify_load_balancer_attributes(LoadBalancerArn=made["LoadBalancerArn"], Attributes=pairs)
    account.facts[f"lb-{name}"] = made["LoadBalancerArn"]
    return made["LoadBalancerArn"]


def group(account: Account, name: str, vpc: str, protocol: str, port: int, targets: list[str], **more) -> str:
    """A target group with instances."""
    client = account.client("elbv2")
    made = client.create_target_group(Name=name, Protocol=protocol, Port=port, VpcId=vpc, TargetType="instance", **more)
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    if targets:
        client.register_targets(TargetGroupArn=arn, Targets=[{"Id": target, "Port": port} for target in targets])
    account.facts[f"targets-{name}"] = arn
    return arn


def listener(account: Account, name: str, balancer: str, protocol: str, port: int, action: dict, **more) -> str:
    made = account.client("elbv2").create_listener(
        LoadBalancerArn=balancer, Protocol=protocol, Port=port, DefaultActions=[action], **more
    )["Listeners"][0]["ListenerArn"]
    account.facts[f"listener-{name}"] = made
    return made


def forward(group: str) -> dict:
    return {"Type": "forward", "TargetGroupArn": group}


TO_HTTPS = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}


def certificate(account: Account, domain: str) -> str:
    """A certificate that is issued."""
    client = account.client("acm")
    arn = client.request_certificate(DomainName=domain, ValidationMethod="DNS")["CertificateArn"]
    # The emulator issues it a minute later.
    account.backend("acm", HOME)._certificates[arn].status = "ISSUED"
    account.facts[f"certificate-{domain}"] = arn
    return arn
