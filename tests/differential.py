"""Reads an account with boto3 as `collectors/*.yaml` declare it, and compares with what soc2scan read.

`differential.py URL COLLECTORS` takes the resources and populations of a snapshot as JSON lines on standard input.
It prints every difference, and at the end one line of JSON: how many resources and members of each type were
compared. It shares no code with the scanner: declarations are followed here a second time, by hand.
"""

import base64
import csv
import datetime
import hashlib
import io
import json
import pathlib
import re
import socket
import sys

import boto3
import yaml
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# S3 Control puts the account's id in front of the host name, which has no address on loopback.
_resolve = socket.getaddrinfo
socket.getaddrinfo = lambda host, *more, **named: _resolve(re.sub(r"^\d{12}\.", "", host), *more, **named)

ABSENT = object()

# Directory buckets are asked as they are at their control endpoint: signed, without a session.
S3 = {"addressing_style": "path", "disable_s3_express_session_auth": True}


class Unreadable(Exception):
    """A request failed with a code that does not mean "there is none"."""


class Reader:
    """Follows the declarations with boto3."""

    def __init__(self, url: str, account: str, partition: str, types: dict, asked_in: dict):
        self.url, self.account, self.partition, self.types, self.asked_in = url, account, partition, types, asked_in
        self._clients, self._answers, self._read = {}, {}, {}

    def client(self, service: str, region: str):
        if (service, region) not in self._clients:
            self._clients[service, region] = boto3.client(
                # Directory buckets are a part of S3 with an endpoint of its own.
                "s3" if service == "s3express" else service,
                region_name="us-east-1" if region == "global" else region,
                endpoint_url=self.url,
                aws_access_key_id="AKIADIFFERENTIAL0000",
                aws_secret_access_key="differential",
                config=Config(retries={"max_attempts": 2}, s3=S3),
            )
        return self._clients[service, region]

    def call(self, service: str, operation: str, params: dict, region: str, absent_on=()):
        """The whole answer, all pages of it; `ABSENT` for a code of `absent_on`."""
        region = self.asked_in.get((service, operation), {}).get(self.partition, region)
        key = json.dumps([service, operation, params, region], sort_keys=True)
        if key not in self._answers:
            try:
                self._answers[key] = self._pages(self.client(service, region), operation, params)
            except ClientError as error:
                self._answers[key] = error
            except BotoCoreError as error:
                self._answers[key] = Unreadable(str(error))
        answer = self._answers[key]
        if isinstance(answer, ClientError):
            if answer.response["Error"]["Code"] in absent_on:
                return ABSENT
            raise Unreadable(f"{operation}: {answer.response['Error']['Code']}")
        if isinstance(answer, Unreadable):
            raise answer
        return answer

    def _pages(self, client, operation: str, params: dict):
        method = xform_name(operation)
        if client.can_paginate(method):
            answer = client.get_paginator(method).paginate(**params).build_full_result()
        else:
            answer = getattr(client, method)(**params)
        answer.pop("ResponseMetadata", None)
        return plain(answer)

    # One resource type.

    def read(self, name: str, region: str) -> dict:
        """The resources of a type in a region, by (region, id)."""
        if (name, region) not in self._read:
            self._read[name, region] = self._read_type(name, region)
        return self._read[name, region]

    def _read_type(self, name: str, region: str) -> dict:
        declared = self.types[name]
        found = {}
        for item, parent in self._items(declared, region):
            document = shape(declared, {declared["as"]: item} if "as" in declared else dict(item))
            if parent:
                document["Parent"] = {k: parent[k] for k in ("Type", "Id", "Arn", "Name")}
            ground = self._ground(region, document, parent)
            if not holds(declared.get("where"), document, ground):
                continue
            if "locate" in declared and get(document, declared["region"]) is None:
                document[declared["region"]] = TYPED[declared["locate"]["typed"]](self, declared["locate"], ground)
            home = get(document, declared["region"]) if "region" in declared else None
            resource = {"Type": name, "Region": home or region, "Document": document, "Unknown": set()}
            ground = self._ground(resource["Region"], document, parent)
            resource["Id"] = text(declared.get("id", declared["arn"]), ground)
            self._detail(declared, resource, ground)
            for member, enrichment in declared.get("enrich", {}).items():
                self._enrich(member, enrichment, resource, parent)
            resource["Arn"] = text(declared["arn"], ground, "arn:")
            resource["Name"] = text(declared["name"], ground) if "name" in declared else resource["Id"]
            found[resource["Region"], resource["Id"]] = resource
        return found

    def _ground(self, region: str, document: dict, parent=None) -> dict:
        return {
            "partition": self.partition, "account": self.account, "region": region, "$": document,
            "parent": parent["Document"] if parent else {},
        }

    def _items(self, declared: dict, region: str):
        if declared.get("singleton"):
            return [({}, None)]
        if "inside" in declared:
            parents = [(p, m) for t, m in declared["inside"].items() for p in self.read(t, region).values()]
            return [(item, parent) for parent, member in parents for item in get(parent["Document"], member) or []]
        if "for_each" in declared:
            parents = list(self.read(declared["for_each"], region).values())
        else:
            parents = [None]
        items = []
        for parent in parents:
            params = fill(declared.get("params", {}), self._ground(region, {}, parent))
            answer = self.call(declared["service"], declared["list"], params, region, declared.get("absent_on", ()))
            if answer is not ABSENT:
                items += [(item, parent) for item in listed(answer, declared["items"])]
        return items

    def _detail(self, declared: dict, resource: dict, ground: dict) -> None:
        detail = declared.get("get")
        if not detail:
            return
        answer = self.call(declared["service"], detail["call"], fill(detail.get("params", {}), ground), ground["region"])
        resource["Document"].update(shape(declared, get(answer, detail["take"]) if "take" in detail else answer))

    def _enrich(self, member: str, enrichment: dict, resource: dict, parent) -> None:
        try:
            value = self._value(enrichment, resource, parent)
        except Unreadable:
            resource["Unknown"].add(member)
            return
        if value is not None and value is not ABSENT:
            resource["Document"][member] = value

    def _value(self, enrichment: dict, resource: dict, parent):
        region, document = resource["Region"], resource["Document"]
        ground = self._ground(region, document, parent)
        if "typed" in enrichment:
            return TYPED[enrichment["typed"]](self, enrichment, ground)
        if not holds(enrichment.get("when"), document, ground):
            return ABSENT
        if "each" in enrichment:
            return self._each(enrichment, get(document, enrichment["each"]) or [], ground)
        answer = self.call(
            enrichment["service"], enrichment["call"], fill(enrichment.get("params", {}), ground), region,
            enrichment.get("absent_on", ()),
        )
        if answer is ABSENT:
            return ABSENT
        value = get(answer, enrichment["take"]) if "take" in enrichment else answer
        if "lookup" in enrichment:
            value = self._lookup(enrichment["lookup"], value or [], document)
        if "keep" in enrichment and isinstance(value, list):
            value = [item for item in value if holds(enrichment["keep"], item, ground)]
        return None if value is None else shape(enrichment, value)

    def _each(self, enrichment: dict, elements: list, ground: dict) -> list:
        values = []
        for element in elements:
            params = fill(enrichment.get("params", {}), {**ground, "each": element})
            absent_on = enrichment.get("absent_on", ())
            answer = self.call(enrichment["service"], enrichment["call"], params, ground["region"], absent_on)
            if answer is not ABSENT:
                values.append(get(answer, enrichment["take"]) if "take" in enrichment else answer)
        return shape(enrichment, values)

    def _lookup(self, lookup: dict, items: list, document: dict):
        own = get(document, lookup["of"])
        found = [item for item in items if get(item, lookup["key"]) == own]
        if lookup.get("many"):
            return found
        return (get(found[0], lookup["member"]) if "member" in lookup else found[0]) if found else None


# What takes more than a request.


def report(reader: Reader) -> dict:
    reader.client("iam", "global").generate_credential_report()
    answer = reader.client("iam", "global").get_credential_report()
    rows = {row["user"]: row for row in csv.DictReader(io.StringIO(answer["Content"].decode()))}
    return {user: {k: v for column, cell in row.items() for k, v in [report_cell(column, cell)]} for user, row in rows.items()}


def report_cell(column: str, cell: str):
    if cell in ("N/A", "no_information", "not_supported", ""):
        return f"{column}_status", cell
    if cell in ("true", "false"):
        return column, cell == "true"
    if re.fullmatch(r"\d{4}-\d\d-\d\dT.*", cell):
        return column, moment(datetime.datetime.fromisoformat(cell))
    return column, cell


def credential_report(reader: Reader, enrichment: dict, ground: dict):
    return report(reader)[fill(enrichment["params"], ground)["user"]]


def console_users(reader: Reader, enrichment: dict, ground: dict):
    return sorted(u for u, row in report(reader).items() if row.get("password_enabled") is True and u != "<root_account>")


def default_version(reader: Reader, enrichment: dict, ground: dict):
    policy = fill(enrichment["params"], ground)
    version = reader.client("iam", "global").get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=policy["VersionId"])
    return plain(version["PolicyVersion"]["Document"])


def bucket_region(reader: Reader, enrichment: dict, ground: dict) -> str:
    bucket = fill(enrichment["params"], ground)["Bucket"]
    return reader.client("s3", "global").get_bucket_location(Bucket=bucket)["LocationConstraint"] or "us-east-1"


def service_control_policies(reader: Reader, enrichment: dict, ground: dict):
    def ask(operation: str, **params):
        return reader.call("organizations", operation, params, "global", ["AWSOrganizationsNotInUseException"])

    levels, target, kind = [], reader.account, "ACCOUNT"
    while True:
        attached = ask("ListPoliciesForTarget", TargetId=target, Filter="SERVICE_CONTROL_POLICY")
        if attached is ABSENT:
            return ABSENT
        described = [ask("DescribePolicy", PolicyId=policy["Id"])["Policy"] for policy in attached["Policies"]]
        policies = [
            {"PolicyId": p["PolicySummary"]["Id"], "PolicyName": p["PolicySummary"]["Name"], "PolicyDocument": json.loads(p["Content"])}
            for p in described
        ]
        levels.append({"TargetId": target, "TargetType": kind, "Policies": policies})
        if kind == "ROOT":
            return levels
        (parent,) = ask("ListParents", ChildId=target)["Parents"]
        target, kind = parent["Id"], parent["Type"]


TYPED = {
    "bucket_region": bucket_region, "console_users": console_users, "credential_report": credential_report,
    "default_version": default_version, "service_control_policies": service_control_policies,
}


# Paths, references and conditions.


def get(value, path: str):
    """The first value at a path such as `A.B[0].C`; `None` where there is none."""
    found = walk(value, path)
    return found[0] if found else None


def listed(value, path: str) -> list:
    return [item for found in walk(value, path) for item in found]


def walk(value, path: str) -> list:
    values = [value]
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d*)\]", path):
        if name:
            values = [v[name] for v in values if isinstance(v, dict) and v.get(name) is not None]
        elif index:
            values = [v[int(index)] for v in values if len(v) > int(index)]
        else:
            values = [item for v in values for item in v]
    return values


def fill(template, ground: dict):
    if isinstance(template, dict):
        return {k: fill(v, ground) for k, v in template.items()}
    if isinstance(template, list):
        return [fill(v, ground) for v in template]
    if isinstance(template, str) and template.startswith("$."):
        return get(ground["$"], template[2:])
    if template == "$each" or (isinstance(template, str) and template.startswith("$each.")):
        return get(ground["each"], template[6:]) if len(template) > 5 else ground["each"]
    if isinstance(template, str) and template.startswith("$parent."):
        return get(ground["parent"], template[8:])
    return text(template, ground) if isinstance(template, str) and "${" in template else template


def text(templates, ground: dict, prefix="") -> str | None:
    """The first of several templates that can be filled; a bare path stands for its value."""
    for template in [templates] if isinstance(templates, str) else templates:
        if "${" not in template and get(ground["$"], template) is None and not template.startswith("<"):
            literal = template if not re.fullmatch(r"[A-Z][\w.]*", template) else None
            if literal and literal.startswith(prefix):
                return literal
            continue
        if "${" not in template:
            value = get(ground["$"], template) if not template.startswith("<") else template
        else:
            pieces = re.findall(r"\$\{([^}]+)\}", template)
            filled = {p: ground[p] if p in ("partition", "account", "region") else get(ground["$"], p) for p in pieces}
            value = None if None in filled.values() else re.sub(r"\$\{([^}]+)\}", lambda m: str(filled[m[1]]), template)
        if value is not None and str(value).startswith(prefix):
            return str(value)
    return None


def holds(condition, document: dict, ground: dict) -> bool:
    if not condition:
        return True
    if "any" in condition:
        return any(holds(c, document, ground) for c in condition["any"])
    return all(test(get(document, path), wanted, ground) for path, wanted in condition.items())


def test(value, wanted, ground: dict) -> bool:
    if wanted == "present":
        return value is not None
    if wanted == "absent":
        return value is None
    (operator, operand), = wanted.items()
    operand = fill(operand, ground)
    return {
        "in": lambda: value in operand,
        "not_in": lambda: value not in operand,
        "prefix": lambda: value is not None and value.startswith(operand),
        "not_prefix": lambda: value is None or not value.startswith(operand),
    }[operator]()


# What is left out, decoded or replaced.


def shape(declared: dict, value):
    if declared.get("json") is True:
        value = document(value)
    for path in declared["json"] if isinstance(declared.get("json"), list) else []:
        change(value, path, document)
    for path, to in declared.get("digest", {}).items():
        change(value, path, lambda v: hashlib.sha256(v.encode()).hexdigest(), to)
    for path, to in declared.get("keys", {}).items():
        change(value, path, list, to)
    for path, to in declared.get("tail", {}).items():
        value[to] = value[path].rsplit("/", 1)[-1]
    drops = declared.get("drop", [])
    for path in [drops] if isinstance(drops, str) else drops:
        change(value, path, lambda _: None)
    return value


def document(value):
    """The JSON in a string; an empty string holds none."""
    if not isinstance(value, str):
        return value
    return json.loads(value) if value.strip() else None


def change(value, path: str, function, to=None) -> None:
    before, _, last = path.rpartition(".")
    for holder in walk(value, before) if before else [value]:
        if isinstance(holder, dict) and last in holder:
            new = function(holder.pop(last))
            if new is not None:
                holder[to or last] = new


def plain(value):
    """What boto3 gives, as JSON: times in RFC 3339, bytes in base64."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, datetime.datetime):
        return moment(value)
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if hasattr(value, "read"):
        return base64.b64encode(value.read()).decode()
    return value


def moment(value: datetime.datetime) -> str:
    utc = value.astimezone(datetime.timezone.utc)
    fraction = f".{utc.microsecond:06d}".rstrip("0") if utc.microsecond else ""
    return utc.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


# The comparison.


def declarations(folder: str) -> dict:
    """All resource types by name, each enrichment with its service; what several files say of one is joined."""
    types: dict = {}
    for path in sorted(pathlib.Path(folder).glob("*.yaml")):
        file = yaml.safe_load(path.read_text())
        for name, declared in file["resources"].items():
            for enrichment in declared.get("enrich", {}).values():
                enrichment["service"] = file["service"]
            joined = types.setdefault(name, {"enrich": {}})
            joined["enrich"].update(declared.pop("enrich", {}))
            joined.update(declared)
            if "list" in declared or declared.get("singleton"):
                joined["service"] = file["service"]
    return types


def operations_of_one_region(folder: str) -> dict:
    """For operations that one region answers for all: (service, operation) to that region, by partition."""
    files = [yaml.safe_load(path.read_text()) for path in sorted(pathlib.Path(folder).glob("*.yaml"))]
    return {(f["service"], operation): regions for f in files for operation, regions in f.get("asked_in", {}).items()}


def differences(path: str, ours, theirs):
    """Every place where two values are not the same, types included."""
    if type(ours) is not type(theirs):
        yield f"{path}: soc2scan reads {ours!r}, boto3 {theirs!r}"
    elif isinstance(ours, dict):
        for name in sorted(set(ours) | set(theirs)):
            if name not in theirs:
                yield f"{path}.{name}: only soc2scan reads it: {ours[name]!r}"
            elif name not in ours:
                yield f"{path}.{name}: only boto3 reads it: {theirs[name]!r}"
            else:
                yield from differences(f"{path}.{name}", ours[name], theirs[name])
    elif isinstance(ours, list):
        if len(ours) != len(theirs):
            yield f"{path}: soc2scan reads {len(ours)} elements, boto3 {len(theirs)}"
        for n, (a, b) in enumerate(zip(ours, theirs)):
            yield from differences(f"{path}[{n}]", a, b)
    elif ours != theirs and not moves(path, ours, theirs):
        yield f"{path}: soc2scan reads {ours!r}, boto3 {theirs!r}"


# Times that the emulator makes up afresh for each answer.
MOVING = (
    "LatestRestorableTime", "LatestDeliveryTime", "LatestDeliveryAttemptTime", "lastAttemptTime",
    "lastSuccessfulTime", "lastStatusChangeTime",
)


def moves(path: str, ours, theirs) -> bool:
    is_time = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
    return path.rpartition(".")[2] in MOVING and all(isinstance(t, str) and is_time.fullmatch(t) for t in (ours, theirs))


def leaves(value) -> int:
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    return sum(map(leaves, value)) if isinstance(value, list) else 1


def compare_type(reader: Reader, name: str, populations: list, resources: list):
    theirs, unlisted = {}, False
    for population in populations:
        try:
            theirs.update(reader.read(name, population["region"]))
        except Unreadable as error:
            unlisted = True
            if population["state"] != "incomplete":
                yield f"{name} in {population['region']}: boto3 could not list it ({error}), soc2scan says {population['state']}"
            continue
        if population["state"] != "complete":
            yield f"{name} in {population['region']}: boto3 listed it, soc2scan says {population['state']}"
    ours = {(r["region"], r["id"]): r for r in resources}
    for place in sorted(set(ours) ^ set(theirs), key=str) if not unlisted else []:
        yield f"{name} {place}: only {'soc2scan' if place in ours else 'boto3'} reads it"
    for place in sorted(set(ours) & set(theirs)):
        mine, other = ours[place], theirs[place]
        where = f"{name} {place[1]}"
        yield from differences(where, without_times_of_reading(mine["document"]), without_times_of_reading(other["Document"]))
        if mine["arn"] != other["Arn"]:
            yield f"{where}: its ARN is {mine['arn']}, by boto3 {other['Arn']}"
        unknown = {u["path"] for u in mine.get("unknown", [])}
        if unknown != other["Unknown"]:
            yield f"{where}: unknown to soc2scan {sorted(unknown)}, to boto3 {sorted(other['Unknown'])}"


def without_times_of_reading(document: dict) -> dict:
    """The time when a credential report was made is each reader's own."""
    report = document.get("CredentialReport")
    if isinstance(report, dict):
        document = {**document, "CredentialReport": {k: v for k, v in report.items() if k != "GeneratedTime"}}
    return document


def main() -> int:
    url, folder = sys.argv[1:]
    lines = [json.loads(line) for line in sys.stdin]
    populations = [line["population"] for line in lines if "population" in line]
    resources = [line["resource"] for line in lines if "resource" in line]
    types = declarations(folder)
    reader = Reader(url, populations[0]["account"], "aws", types, operations_of_one_region(folder))
    found, compared = 0, {}
    for name in sorted({p["type"] for p in populations}):
        of_type = [r for r in resources if r["type"] == name]
        for difference in compare_type(reader, name, [p for p in populations if p["type"] == name], of_type):
            print(difference)
            found += 1
        compared[name] = [len(of_type), sum(leaves(r["document"]) for r in of_type)]
    print(json.dumps(compared))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
