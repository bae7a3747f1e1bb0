"""What the emulator does not keep of a database."""

import datetime

from account import Account

AUTHORITY = "rds-ca-rsa2048-g1"


def complete(account: Account, region: str, name: str, monitoring: int = 0) -> None:
    """Gives an instance its server certificate, good for 300 days, and its Enhanced Monitoring."""
    instance = account.backend("rds", region).databases[name]
    instance.ca_certificate_identifier = AUTHORITY
    instance.certificate_details = {
        "CAIdentifier": AUTHORITY, "ValidTill": account.now + datetime.timedelta(days=300)
    }
    instance.monitoring_interval = monitoring


def refuse_plain_connections(account: Account, region: str, group: str, family: str) -> str:
    """A parameter group in which TLS is forced."""
    rds = account.client("rds", region)
    rds.create_db_parameter_group(DBParameterGroupName=group, DBParameterGroupFamily=family, Description=group)
    forced = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName=group, Parameters=[forced])
    return group
