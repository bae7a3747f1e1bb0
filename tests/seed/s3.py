"""Buckets as they should be."""

from account import HOME, Account, document, modern_tls, tls_only


def harden(account: Account, bucket: str, key: str) -> None:
    """Versions, TLS only, a key of our own, data that leaves on schedule."""
    client = account.client("s3")
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    client.put_bucket_policy(Bucket=bucket, Policy=document(tls_only(bucket), modern_tls(bucket)))
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": f"arn:aws:kms:{HOME}:{account.id}:key/{key}"}
    client.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
        },
    )
    expire = {
        "ID": "expire",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": 400},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [expire]})


def access_logging(account: Account, bucket: str, logs: str) -> None:
    client = account.client("s3")
    delivery = {
        "Sid": "Delivery",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{logs}/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account.id}},
    }
    # The emulator reads the policy when logging is switched on, and only understands principals that are objects.
    client.put_bucket_policy(Bucket=logs, Policy=document(delivery))
    client.put_bucket_logging(
        Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": logs, "TargetPrefix": f"{bucket}/"}}
    )
    client.put_bucket_policy(Bucket=logs, Policy=document(delivery, tls_only(logs), modern_tls(logs)))


def trail_bucket(account: Account, bucket: str, locked=False) -> None:
    """A bucket that CloudTrail and Config may write to; `locked`: from which nobody can erase for 400 days."""
    client = account.client("s3")
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=locked)
    if locked:
        client.put_object_lock_configuration(
            Bucket=bucket,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 400}},
            },
        )
    delivery = {
        "Sid": "Delivery",
        "Effect": "Allow",
        "Principal": {"Service": ["cloudtrail.amazonaws.com", "config.amazonaws.com"]},
        "Action": ["s3:GetBucketAcl", "s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"StringEquals": {"aws:SourceAccount": account.id}},
    }
    client.put_bucket_policy(Bucket=bucket, Policy=document(delivery, tls_only(bucket), modern_tls(bucket)))
