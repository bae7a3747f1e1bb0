"""Distributions: everything as it should be, or nothing."""

from account import Account


def distribution(account: Account, name: str, viewers: str, minimum: str | None, bucket: str | None = None) -> str:
    """One whose origin is `bucket`, or else a server."""
    if minimum:
        certificate = {
            "ACMCertificateArn": f"arn:aws:acm:us-east-1:{account.id}:certificate/4f0e9c1a-7d4b-4a57-9b7e-000000000001",
            "SSLSupportMethod": "sni-only",
            "MinimumProtocolVersion": minimum,
        }
    else:
        certificate = {"CloudFrontDefaultCertificate": True, "MinimumProtocolVersion": "TLSv1"}
    custom = {
        "Id": "origin",
        "DomainName": "origin.example.com",
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "https-only" if minimum else "http-only",
            "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2" if minimum else "TLSv1"]},
        },
    }
    stored = {"Id": "origin", "DomainName": f"{bucket}.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    config = {
        "CallerReference": name,
        "Comment": name,
        "Enabled": True,
        "Aliases": {"Quantity": 1, "Items": [f"{name}.example.com"]},
        "DefaultRootObject": "index.html" if minimum else "",
        "Origins": {"Quantity": 1, "Items": [stored if bucket else custom]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "origin",
            "ViewerProtocolPolicy": viewers,
            "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
            "MinTTL": 0,
        },
        "ViewerCertificate": certificate,
        "Logging": {
            "Enabled": bool(minimum), "IncludeCookies": False, "Bucket": "access-logs.s3.amazonaws.com" if minimum else "", "Prefix": "",
        },
        "WebACLId": f"arn:aws:wafv2:us-east-1:{account.id}:global/webacl/front/a1b2" if minimum else "",
    }
    return account.client("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]["Id"]
