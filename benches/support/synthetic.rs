//! A snapshot of as many resources as one likes, the same every time: for measuring, and for tests of scale.
//!
//! The documents have the members that the collectors give, in realistic size; about one resource in ten has
//! something wrong, and one member in a hundred could not be read.

use serde_json::{Map, Value, json};
use soc2scan::inventory::{
    AccountScope, Cause, Header, LedgerEntry, Outcome, Population, PopulationState, Reason, Resource, Snapshot,
    UnknownField,
};
use std::collections::BTreeMap;

const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
const REGIONS: [&str; 4] = ["us-east-1", "us-west-2", "eu-west-1", "ap-southeast-2"];
const GLOBAL: &str = "global";

/// A kind of resource: its type, whether it is global, its share in a hundred, and how its document is made.
type Kind = (&'static str, bool, u64, fn(&Place<'_>) -> Value);

/// The shares add up to 100; they are those of a company with many machines.
const KINDS: [Kind; 10] = [
    ("AWS::EC2::SecurityGroup", false, 20, security_group),
    ("AWS::EC2::Volume", false, 20, volume),
    ("AWS::EC2::Snapshot", false, 20, snapshot_of_volume),
    ("AWS::EC2::Instance", false, 10, instance),
    ("AWS::S3::Bucket", true, 8, bucket),
    ("AWS::IAM::Role", true, 6, role),
    ("AWS::IAM::User", true, 4, user),
    ("AWS::KMS::Key", false, 4, key),
    ("AWS::Lambda::Function", false, 6, function),
    ("AWS::RDS::DBInstance", false, 2, database),
];

/// Where a resource is, and its number, which decides everything else.
struct Place<'a> {
    n: u64,
    account: &'a str,
    region: &'a str,
}

impl Place<'_> {
    /// A number that looks random and never changes.
    fn dice(&self, salt: u64) -> u64 {
        let mut x = self.n.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(salt.wrapping_mul(0xD1B5_4A32_D192_ED03));
        x ^= x >> 31;
        x = x.wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 29)
    }

    /// True once in `times`.
    fn once_in(&self, times: u64, salt: u64) -> bool {
        self.dice(salt).is_multiple_of(times)
    }

    fn hex(&self, salt: u64) -> String {
        format!("{:017x}", u128::from(self.dice(salt)) << 4 | u128::from(self.n & 15))
    }
}

/// A snapshot of `count` resources with their populations and one call for each hundred of them.
pub(crate) fn snapshot(count: u64) -> Snapshot {
    let time = "2026-03-01T10:00:00Z".parse().expect("a time");
    let accounts = ACCOUNTS.iter().map(|account| AccountScope {
        account: (*account).into(),
        name: None,
        partition: "aws".into(),
        regions: REGIONS.iter().map(|r| (*r).to_owned()).collect(),
        regions_left_out: Vec::new(),
    });
    let mut snapshot = Snapshot {
        header: Header {
            tool_version: env!("CARGO_PKG_VERSION").into(),
            started: time,
            finished: time,
            principal: "arn:aws:iam::111122223333:role/scanner".into(),
            accounts: accounts.collect(),
        },
        populations: populations(),
        resources: (0..count).map(resource).collect(),
        ledger: (0..count / 100).map(|n| call(n, time)).collect(),
    };
    snapshot.sort();
    snapshot
}

fn populations() -> Vec<Population> {
    let mut all = Vec::new();
    for (resource_type, global, ..) in KINDS {
        for account in ACCOUNTS {
            for region in if global { &[GLOBAL][..] } else { &REGIONS[..] } {
                all.push(Population {
                    resource_type: resource_type.into(),
                    account: account.into(),
                    region: (*region).into(),
                    state: PopulationState::Complete,
                });
            }
        }
    }
    all
}

fn resource(n: u64) -> Resource {
    let mut share = n % 100;
    let (resource_type, global, _, document) = KINDS
        .into_iter()
        .find(|(_, _, part, _)| {
            let here = share < *part;
            share = share.saturating_sub(*part);
            here
        })
        .unwrap_or(KINDS[0]);
    let place = Place {
        n,
        account: ACCOUNTS[(n / 100 % ACCOUNTS.len() as u64) as usize],
        region: if global { GLOBAL } else { REGIONS[(n / 7 % REGIONS.len() as u64) as usize] },
    };
    let document: Map<String, Value> = match document(&place) {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let id = format!("{}-{n}", resource_type.rsplit(':').next().unwrap_or_default().to_lowercase());
    let mut resource = Resource {
        resource_type: resource_type.into(),
        arn: format!("arn:aws:synthetic:{}:{}:{id}", place.region, place.account),
        name: id.clone(),
        id,
        account: place.account.into(),
        region: place.region.into(),
        tags: BTreeMap::from([("Owner".into(), "platform".into()), ("Environment".into(), "production".into())]),
        document,
        unknown: Vec::new(),
    };
    if place.once_in(100, 99) {
        forget_one(&mut resource, &place);
    }
    resource
}

/// One member could not be read.
fn forget_one(resource: &mut Resource, place: &Place<'_>) {
    let Some(path) = resource.document.keys().nth((place.dice(98) % resource.document.len() as u64) as usize) else {
        return;
    };
    let path = path.clone();
    resource.document.remove(&path);
    let cause = Cause { action: "synthetic:Read".into(), ..Cause::of(Reason::Denied, "not authorized") };
    resource.unknown.push(UnknownField { path, cause });
}

fn call(n: u64, time: jiff::Timestamp) -> LedgerEntry {
    LedgerEntry {
        account: ACCOUNTS[(n % 2) as usize].into(),
        region: REGIONS[(n % 4) as usize].into(),
        service: "ec2".into(),
        operation: "DescribeVolumes".into(),
        subject: String::new(),
        request_id: format!("{n:032x}"),
        time,
        outcome: Outcome::Ok,
        code: String::new(),
        page: u32::try_from(n).unwrap_or(u32::MAX),
        attempts: 1,
        sha256: format!("{n:064x}"),
    }
}

fn security_group(place: &Place<'_>) -> Value {
    let source = |salt| match place.dice(salt) % 10 {
        0 => "0.0.0.0/0".to_owned(),
        n => format!("10.{}.{n}.0/24", place.dice(salt + 1) % 256),
    };
    let rule = |port: u64, salt| {
        json!({
            "IpProtocol": "tcp", "FromPort": port, "ToPort": port,
            "IpRanges": [{ "CidrIp": source(salt), "Description": "service" }],
            "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": [],
        })
    };
    json!({
        "Description": "a group of a service", "GroupName": format!("service-{}", place.n), "OwnerId": place.account,
        "GroupId": format!("sg-{}", place.hex(1)), "VpcId": format!("vpc-{:017x}", place.n % 50),
        "IpPermissions": [rule(443, 2), rule([22, 3389, 5432, 8080][(place.dice(3) % 4) as usize], 4)],
        "IpPermissionsEgress": [{ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }],
    })
}

fn volume(place: &Place<'_>) -> Value {
    json!({
        "VolumeId": format!("vol-{}", place.hex(1)), "Size": 100, "VolumeType": "gp3", "Iops": 3000, "Throughput": 125,
        "State": "in-use", "Encrypted": !place.once_in(10, 2), "CreateTime": "2025-06-01T00:00:00Z",
        "AvailabilityZone": format!("{}a", place.region), "MultiAttachEnabled": false, "SnapshotId": "",
        "Attachments": [{
            "InstanceId": format!("i-{}", place.hex(3)), "Device": "/dev/xvda", "State": "attached",
            "AttachTime": "2025-06-01T00:00:00Z", "DeleteOnTermination": true,
        }],
    })
}

fn snapshot_of_volume(place: &Place<'_>) -> Value {
    let shared = if place.once_in(50, 2) { json!([{ "Group": "all" }]) } else { json!([]) };
    json!({
        "SnapshotId": format!("snap-{}", place.hex(1)), "VolumeId": format!("vol-{}", place.hex(3)), "VolumeSize": 100,
        "State": "completed", "Progress": "100%", "Encrypted": !place.once_in(10, 4), "OwnerId": place.account,
        "StartTime": "2026-02-01T00:00:00Z", "Description": "nightly", "StorageTier": "standard",
        "CreateVolumePermissions": shared,
    })
}

fn instance(place: &Place<'_>) -> Value {
    json!({
        "InstanceId": format!("i-{}", place.hex(1)), "ImageId": "ami-0123456789abcdef0", "InstanceType": "m7g.large",
        "State": { "Code": 16, "Name": "running" }, "LaunchTime": "2026-01-01T00:00:00Z",
        "MetadataOptions": {
            "State": "applied", "HttpTokens": if place.once_in(10, 2) { "optional" } else { "required" },
            "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled", "HttpProtocolIpv6": "disabled",
        },
        "Monitoring": { "State": "enabled" }, "SubnetId": format!("subnet-{:017x}", place.n % 200),
        "VpcId": format!("vpc-{:017x}", place.n % 50), "PrivateIpAddress": "10.0.0.10", "EbsOptimized": true,
        "IamInstanceProfile": { "Arn": format!("arn:aws:iam::{}:instance-profile/app", place.account), "Id": "AIPA" },
        "SecurityGroups": [{ "GroupId": format!("sg-{}", place.hex(3)), "GroupName": "service" }],
        "BlockDeviceMappings": [], "NetworkInterfaces": [], "DisableApiTermination": true,
    })
}

fn bucket(place: &Place<'_>) -> Value {
    let name = format!("synthetic-{}", place.n);
    let open = place.once_in(20, 2);
    let statement = if open {
        json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{name}/*") })
    } else {
        json!({
            "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [format!("arn:aws:s3:::{name}"), format!("arn:aws:s3:::{name}/*")],
            "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        })
    };
    json!({
        "Name": name, "CreationDate": "2024-01-01T00:00:00Z", "BucketRegion": "us-east-1",
        "Encryption": { "Rules": [{
            "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": if place.once_in(2, 3) { "aws:kms" } else { "AES256" } },
            "BucketKeyEnabled": true,
        }] },
        "PublicAccessBlock": {
            "BlockPublicAcls": !open, "IgnorePublicAcls": !open, "BlockPublicPolicy": !open, "RestrictPublicBuckets": !open,
        },
        "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] },
        "Policy": { "Version": "2012-10-17", "Statement": [statement] }, "PolicyStatus": { "IsPublic": open },
        "Acl": { "Owner": { "ID": "75aa57f09aa0c8ca" }, "Grants": [] },
        "Versioning": if place.once_in(3, 4) { json!({}) } else { json!({ "Status": "Enabled" }) },
    })
}

fn role(place: &Place<'_>) -> Value {
    let action = if place.once_in(20, 2) { "*" } else { "s3:GetObject" };
    json!({
        "Path": "/", "RoleName": format!("role-{}", place.n), "RoleId": format!("AROA{}", place.hex(1)),
        "Arn": format!("arn:aws:iam::{}:role/role-{}", place.account, place.n), "CreateDate": "2025-01-01T00:00:00Z",
        "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole",
        }] },
        "RolePolicyList": [{ "PolicyName": "inline", "PolicyDocument": {
            "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "*" }],
        } }],
        "AttachedManagedPolicies": [], "InstanceProfileList": [], "RoleLastUsed": { "LastUsedDate": "2026-02-20T00:00:00Z" },
    })
}

fn user(place: &Place<'_>) -> Value {
    let console = place.once_in(2, 2);
    json!({
        "Path": "/", "UserName": format!("user-{}", place.n), "UserId": format!("AIDA{}", place.hex(1)),
        "Arn": format!("arn:aws:iam::{}:user/user-{}", place.account, place.n), "CreateDate": "2025-01-01T00:00:00Z",
        "UserPolicyList": [], "GroupList": ["readers"], "AttachedManagedPolicies": [],
        "CredentialReport": {
            "user": format!("user-{}", place.n), "password_enabled": console, "mfa_active": console && !place.once_in(10, 3),
            "password_last_used": "2026-02-20T00:00:00Z", "access_key_1_active": !console,
            "access_key_1_last_rotated": "2026-01-15T00:00:00Z", "access_key_2_active": false,
        },
    })
}

fn key(place: &Place<'_>) -> Value {
    json!({
        "KeyId": place.hex(1), "AWSAccountId": place.account, "Arn": format!("arn:aws:kms:::key/{}", place.hex(1)),
        "Enabled": true, "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled", "Origin": "AWS_KMS", "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyManager": "CUSTOMER", "MultiRegion": false, "CreationDate": "2025-01-01T00:00:00Z",
        "RotationStatus": { "KeyRotationEnabled": !place.once_in(5, 2) },
        "Policy": { "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{}:root", place.account) }, "Action": "kms:*", "Resource": "*",
        }] },
        "Aliases": [], "Grants": [],
    })
}

fn function(place: &Place<'_>) -> Value {
    let mut document = json!({
        "FunctionName": format!("function-{}", place.n), "Runtime": "python3.13", "Handler": "main.handler", "MemorySize": 512,
        "Role": format!("arn:aws:iam::{}:role/function", place.account), "Timeout": 30, "CodeSize": 4096, "PackageType": "Zip",
        "LastModified": "2026-01-01T00:00:00.000+0000", "TracingConfig": { "Mode": "Active" }, "Architectures": ["arm64"],
        "Environment": { "VariableNames": ["LOG_LEVEL", "TABLE"] },
    });
    if place.once_in(20, 2) {
        document["Policy"] = json!({ "Version": "2012-10-17", "Statement": [{
            "Sid": "everyone", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": "*",
        }] });
    }
    document
}

fn database(place: &Place<'_>) -> Value {
    json!({
        "DBInstanceIdentifier": format!("db-{}", place.n), "DBInstanceClass": "db.r7g.large", "Engine": "postgres",
        "EngineVersion": "17.5", "DBInstanceStatus": "available", "MasterUsername": "owner", "AllocatedStorage": 100,
        "StorageEncrypted": !place.once_in(10, 2), "PubliclyAccessible": place.once_in(20, 3), "MultiAZ": true,
        "DeletionProtection": true, "BackupRetentionPeriod": 35, "AutoMinorVersionUpgrade": true, "CopyTagsToSnapshot": true,
        "IAMDatabaseAuthenticationEnabled": true, "EnabledCloudwatchLogsExports": ["postgresql"], "MonitoringInterval": 60,
        "Endpoint": { "Address": "db.example.com", "Port": 5432 }, "VpcSecurityGroups": [], "DBParameterGroups": [],
    })
}
