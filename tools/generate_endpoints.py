#!/usr/bin/env python3
"""Write models/endpoints/ from the installed botocore package: where each AWS service is reached.

    tools/generate_endpoints.py            write the files
    tools/generate_endpoints.py --check    write nothing; exit 1 if a file would change

Exit codes: 0 done (or no difference), 1 differences, 3 botocore missing or of another version than pinned.

Three kinds of file come out, none of them for editing:

  partitions.json    partitions, their regions and region patterns
  services.json      one line per service: its rule set, its host and signing name, its one region where it
                     is global, the regions where it is known to be offered
  rules/NAME.json    endpoint rule sets, in the Smithy rules language, without documentation

Hundreds of services share a rule set but for two names, so a rule set says $HOST where the service's host
label stands and $NAME for its signing name; services.json fills them in. A rule set is named after the first
service, by name, that uses it.

The data is botocore's (Apache-2.0); see NOTICE.
"""

import argparse
import collections
import gzip
import json
import os
import re
import sys

try:
    import botocore
except ImportError:
    print("botocore is not installed", file=sys.stderr)
    sys.exit(3)

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "models", "endpoints")
PINS = os.path.join(HERE, "..", "tests", "requirements.txt")
DATA = os.path.join(os.path.dirname(botocore.__file__), "data")

# Services with one endpoint per partition that endpoints.json lists as regional ones: their API references
# ("Global Accelerator is a global service ... you must specify us-west-2").
GLOBAL_REGIONS = {"globalaccelerator": {"aws": "us-west-2"}}

# S3's directory buckets have endpoints of their own, which S3's rules know. Where they are offered: Amazon S3 User
# Guide, "S3 Express One Zone Availability Zones and Regions".
DIRECTORY_BUCKETS = {
    "aws": ["ap-northeast-1", "ap-south-1", "eu-north-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2"]
}


def read(*path):
    name = os.path.join(DATA, *path)
    if os.path.exists(name + ".gz"):
        with gzip.open(name + ".gz", "rt", encoding="utf-8") as f:
            return json.load(f)
    with open(name, encoding="utf-8") as f:
        return json.load(f)


def services():
    """Each service's name and its newest API version."""
    for name in sorted(os.listdir(DATA)):
        folder = os.path.join(DATA, name)
        if not os.path.isdir(folder):
            continue
        version = sorted(v for v in os.listdir(folder) if os.path.isdir(os.path.join(folder, v)))[-1]
        files = os.listdir(os.path.join(folder, version))
        if any(f.startswith("endpoint-rule-set-1.json") for f in files):
            yield name, version


def without_documentation(value):
    if isinstance(value, dict):
        return {k: without_documentation(v) for k, v in value.items() if k != "documentation"}
    if isinstance(value, list):
        return [without_documentation(v) for v in value]
    return value


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


def host_label(text):
    """The label that most of a rule set's URLs begin with."""
    labels = collections.Counter(re.findall(r"https://([a-z0-9.-]+?)(?:-fips)?[.]", text))
    return min(labels, key=lambda label: (-labels[label], label)) if labels else ""


def template(rules, signing_name):
    """The rule set as text with its own two names taken out, and the host label that was taken out."""
    text = compact(without_documentation(rules))
    host = host_label(text)
    if host:
        text = re.sub("https://" + re.escape(host) + "(?=[-.])", "https://$HOST", text)
    text = text.replace('"signingName":' + compact(signing_name), '"signingName":"$NAME"')
    return text, host


def offered(endpoints, prefix):
    """Per partition, the regions where the service has an endpoint of its own, and its one region if global."""
    regions, one = {}, {}
    for partition in endpoints["partitions"]:
        service = partition["services"].get(prefix)
        if service is None:
            continue
        known = set(partition["regions"])
        listed = {k: v for k, v in service["endpoints"].items() if not v.get("deprecated")}
        regional = sorted(k for k in listed if k in known)
        name = partition["partition"]
        pseudo = service.get("partitionEndpoint") or (list(listed)[0] if len(listed) == 1 else None)
        if pseudo in listed:
            region = listed[pseudo].get("credentialScope", {}).get("region") or pseudo
            if region in known:
                one[name] = region
        regions[name] = regional
    return regions, one


def generate():
    """All files, by path below models/endpoints/."""
    files = {}
    partitions = read("partitions.json")
    files["partitions.json"] = compact_lines(
        [
            {
                "id": p["id"],
                "outputs": p["outputs"],
                "regionRegex": p["regionRegex"],
                "regions": {r: {k: v for k, v in o.items() if k != "description"} for r, o in sorted(p["regions"].items())},
            }
            for p in partitions["partitions"]
        ]
    )
    endpoints = read("endpoints.json")
    templates, entries = {}, {}
    for name, version in services():
        metadata = read(name, version, "service-2.json")["metadata"]
        prefix = metadata["endpointPrefix"]
        signing_name = metadata.get("signingName", prefix)
        text, host = template(read(name, version, "endpoint-rule-set-1.json"), signing_name)
        rules = templates.setdefault(text, name)
        entry = {"rules": rules, "host": host, "signing_name": signing_name}
        regions, one = offered(endpoints, prefix)
        one.update(GLOBAL_REGIONS.get(name, {}))
        if one:
            entry["global_region"] = one
        if regions:
            entry["regions"] = regions
        entries[name] = entry
    s3 = entries["s3"]
    entries["s3express"] = {"rules": s3["rules"], "host": s3["host"], "signing_name": "s3express", "regions": DIRECTORY_BUCKETS}
    for text, name in templates.items():
        files[f"rules/{name}.json"] = text.replace('{"conditions"', '\n{"conditions"') + "\n"
    lines = ",\n".join(f"{compact(k)}:{compact(v)}" for k, v in sorted(entries.items()))
    files["services.json"] = "{\n" + lines + "\n}\n"
    return files


def compact_lines(values):
    return "[\n" + ",\n".join(compact(v) for v in values) + "\n]\n"


def present():
    """The files that are there now."""
    found = {}
    for folder, _, names in os.walk(ROOT):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as f:
                found[os.path.relpath(path, ROOT)] = f.read()
    return found


def pinned_version():
    with open(PINS, encoding="utf-8") as f:
        return re.search(r"^botocore==(\S+)$", f.read(), re.MULTILINE).group(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file would change")
    check = parser.parse_args().check
    if botocore.__version__ != pinned_version():
        print(f"botocore is {botocore.__version__}, pinned is {pinned_version()}", file=sys.stderr)
        return 3
    wanted, there = generate(), present()
    changed = sorted(p for p in wanted.keys() | there.keys() if wanted.get(p) != there.get(p))
    if check:
        for path in changed:
            print(f"models/endpoints/{path} differs from botocore {botocore.__version__}", file=sys.stderr)
        return 1 if changed else 0
    for path in changed:
        full = os.path.join(ROOT, path)
        if path not in wanted:
            os.remove(full)
            continue
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8", newline="\n") as f:
            f.write(wanted[path])
    print(f"{len(wanted)} files, {len(changed)} changed, from botocore {botocore.__version__}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
