#!/usr/bin/env python3
"""Writes models/<service>.json: the shapes of the AWS operations that soc2scan calls.

The source is the service descriptions inside the installed `botocore` package (Apache-2.0), of the version that
tests/requirements.txt pins. Which operations: tools/operations.txt, one `service Operation` a line, the service by
its directory name in botocore, or by the name of a part of it (PARTS). Kept is what it takes to write a request and to
read an answer: names, wire names, types, protocol, pagination. Dropped are documentation, examples, waiters,
validation limits and deprecation.

    tools/generate_models.py           write the files, remove those of services no longer listed
    tools/generate_models.py --check   write nothing; exit 1 with the names of the files that differ

Exit codes: 0 done (or no difference), 1 differences or a mistake in the list, 3 botocore missing or of another version.
"""

import argparse
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OPERATIONS = ROOT / "tools" / "operations.txt"
MODELS = ROOT / "models"
PINS = ROOT / "tests" / "requirements.txt"

# Of a service's protocols the first of these is taken. smithy-rpc-v2-cbor is left out on purpose: every service that
# offers it offers one of these too, and they can be read by a person in a capture.
PROTOCOLS = ("json", "rest-json", "rest-xml", "query", "ec2")

METADATA = (
    "apiVersion",
    "jsonVersion",
    "targetPrefix",
    "endpointPrefix",
    "signingName",
    "serviceId",
    "xmlNamespace",
    "awsQueryCompatible",
)
OPERATION = ("name", "http", "input", "output", "errors", "endpoint", "staticContextParams", "authtype")
REFERENCE = (
    "shape",
    "location",
    "locationName",
    "queryName",
    "flattened",
    "xmlAttribute",
    "xmlNamespace",
    "resultWrapper",
    "jsonvalue",
    "timestampFormat",
    "idempotencyToken",
    "hostLabel",
    "contextParam",
)
SHAPE = (
    "type",
    "required",
    "payload",
    "flattened",
    "locationName",
    "xmlNamespace",
    "timestampFormat",
    "union",
    "document",
    "exception",
    "error",
    "eventstream",
    "streaming",
    "sparse",
    "enum",
)
# Flags that say nothing when false.
FLAGS = (
    "flattened xmlAttribute jsonvalue idempotencyToken hostLabel union document exception eventstream streaming sparse"
).split()

# The service's prefix in IAM actions, where it is not the name that requests are signed for.
# Source: the Service Authorization Reference.
IAM_PREFIX = {
    "cloudwatch": "cloudwatch",
    "resourcegroupstaggingapi": "tag",
}

# Parts of a service that are reached and permitted under a name of their own: the service in botocore, and that name.
# Source: Amazon S3 User Guide, "Regional and Zonal endpoints for directory buckets in an Availability Zone".
PARTS = {"s3express": "s3"}

# Names under which AWS's APIs hand out and take back the token of the next page: (output member, input member).
PAGE_TOKENS = (
    ("NextToken", "NextToken"),
    ("nextToken", "nextToken"),
    ("NextPageToken", "PageToken"),
    ("nextPageToken", "pageToken"),
    ("NextMarker", "NextMarker"),
    ("NextMarker", "Marker"),
    ("Marker", "Marker"),
    ("marker", "marker"),
)
TOKEN_LIKE = re.compile(r"^((next)?_?(page)?_?(token|marker)|(is_?)?truncated)$", re.IGNORECASE)

# Members of S3's listings that come percent-encoded where EncodingType is `url`, by structure.
# Source: S3 API reference, the EncodingType of each operation.
S3_URL_ENCODED = {
    "ListObjectsOutput": ("Delimiter", "Marker", "NextMarker", "Prefix"),
    "ListObjectsV2Output": ("Delimiter", "Prefix", "StartAfter"),
    "ListObjectVersionsOutput": ("Delimiter", "KeyMarker", "NextKeyMarker", "Prefix"),
    "ListMultipartUploadsOutput": ("Delimiter", "KeyMarker", "NextKeyMarker", "Prefix"),
    "Object": ("Key",),
    "ObjectVersion": ("Key",),
    "DeleteMarkerEntry": ("Key",),
    "MultipartUpload": ("Key",),
    "CommonPrefix": ("Prefix",),
}


class Mistake(Exception):
    """Something in the list of operations that the service descriptions do not bear out."""


def read_operations():
    """The operations that are wanted, by service."""
    wanted = {}
    lines = [l.strip() for l in OPERATIONS.read_text().splitlines()]
    lines = [l for l in lines if l and not l.startswith("#")]
    for line in lines:
        words = line.split()
        if len(words) != 2:
            raise Mistake(f"{OPERATIONS.name}: expected `service Operation`, got `{line}`")
        service, operation = words
        wanted.setdefault(service, set()).add(operation)
    if lines != sorted(set(lines)):
        raise Mistake(f"{OPERATIONS.name}: lines must be sorted and each there once")
    return wanted


def slim(source, keys):
    """Those of `keys` that say something, in the order of `keys`."""
    return {k: source[k] for k in keys if k in source and not (k in FLAGS and not source[k])}


def reference(source):
    kept = slim(source, REFERENCE)
    if "contextParam" in kept:
        kept["contextParam"] = {"name": kept["contextParam"]["name"]}
    return kept


def references_of(shape):
    yield from shape.get("members", {}).values()
    yield from (shape[k] for k in ("member", "key", "value") if k in shape)


def reachable(names, shapes):
    """The names of all shapes that are reachable from `names`."""
    found, todo = set(), list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(ref["shape"] for ref in references_of(shapes[name]))
    return found


def slim_shape(service, name, source, outputs):
    shape = slim(source, SHAPE)
    if "error" in shape:
        shape["error"] = slim(shape["error"], ("code", "httpStatusCode"))
    if "members" in source:
        shape["members"] = {k: reference(r) for k, r in source["members"].items()}
    for key in ("member", "key", "value"):
        if key in source:
            shape[key] = reference(source[key])
    special(service, name, shape, outputs)
    return shape


def special(service, name, shape, outputs):
    """What the service descriptions cannot say, and SDKs therefore know by heart."""
    # IAM's policy documents are percent-encoded JSON in answers, plain JSON in requests.
    if service == "iam" and name == "policyDocumentType" and name in outputs:
        shape["percentEncodedJson"] = True
    if service == "s3":
        # The whole answer is one element with the region as its text.
        if name == "GetBucketLocationOutput":
            shape["members"]["LocationConstraint"]["rootText"] = True
        for member in S3_URL_ENCODED.get(name, ()):
            shape["members"][member]["urlEncoded"] = True


def pagination_of(service, name, operation, shapes, paginators):
    """How the operation is paginated: as botocore says; where it says nothing, as its members show."""
    if name in paginators:
        keys = ("input_token", "output_token", "result_key", "more_results", "limit_key")
        return {k: paginators[name][k] for k in keys if k in paginators[name]}
    if "output" not in operation:
        return None
    taken = shapes[operation["input"]["shape"]]["members"] if "input" in operation else {}
    output = shapes[operation["output"]["shape"]]
    # The answer itself, or the one structure that it wraps (CloudFront's lists).
    levels = [("", output["members"])]
    if "payload" in output and "members" in shapes[output["members"][output["payload"]]["shape"]]:
        levels.append((output["payload"] + ".", shapes[output["members"][output["payload"]]["shape"]]["members"]))
    for prefix, given in levels:
        for out, into in PAGE_TOKENS:
            if out in given and into in taken:
                lists = [m for m, r in given.items() if shapes[r["shape"]]["type"] in ("list", "map")]
                pagination = {"input_token": into, "output_token": prefix + out}
                if lists:
                    paths = [prefix + m for m in lists]
                    pagination["result_key"] = paths[0] if len(paths) == 1 else paths
                limits = [m for m in taken if m.lower() in ("maxresults", "maxitems", "maxrecords", "limit", "pagesize")]
                if limits:
                    pagination["limit_key"] = limits[0]
                return pagination
        suspicious = [m for m in given if TOKEN_LIKE.match(m)]
        if suspicious:
            raise Mistake(f"{service} {name}: {suspicious} looks like pages, and how to turn them is not known")
    return None


def slim_model(service, operations, description, paginators):
    shapes = description["shapes"]
    metadata = description["metadata"]
    offered = metadata.get("protocols") or [metadata["protocol"]]
    protocol = next((p for p in PROTOCOLS if p in offered), None)
    if protocol is None:
        raise Mistake(f"{service}: none of its protocols {offered} is spoken")
    slimmed = {"protocol": protocol, **slim(metadata, METADATA)}
    if "awsQueryCompatible" in slimmed:
        slimmed["awsQueryCompatible"] = True
    if service in IAM_PREFIX:
        slimmed["iamPrefix"] = IAM_PREFIX[service]

    model = {"metadata": slimmed, "operations": {}, "shapes": {}}
    inputs, outputs = set(), set()
    for name in sorted(operations):
        if name not in description["operations"]:
            raise Mistake(f"{service} has no operation {name}")
        source = description["operations"][name]
        operation = slim(source, OPERATION)
        operation["http"] = slim(operation["http"], ("method", "requestUri"))
        if "endpoint" in operation:
            operation["endpoint"] = slim(operation["endpoint"], ("hostPrefix",))
        for key, names in (("input", inputs), ("output", outputs)):
            if key in operation:
                operation[key] = reference(operation[key])
                names.add(operation[key]["shape"])
        if "errors" in operation:
            operation["errors"] = [reference(e) for e in operation["errors"]]
            outputs.update(e["shape"] for e in operation["errors"])
        pagination = pagination_of(service, name, source, shapes, paginators)
        if pagination:
            operation["pagination"] = pagination
        model["operations"][name] = operation
        # S3 cannot put every key into XML unless it is asked to encode them.
        if service == "s3" and source.get("output", {}).get("shape") in S3_URL_ENCODED:
            operation["defaults"] = {"EncodingType": "url"}

    read = reachable(outputs, shapes)
    for name in sorted(reachable(inputs, shapes) | read):
        model["shapes"][name] = slim_shape(service, name, shapes[name], read)
    return model


def generate(loader):
    """File name and text of every model."""
    files = {}
    for service, operations in sorted(read_operations().items()):
        whole = PARTS.get(service, service)
        try:
            description = loader.load_service_model(whole, "service-2")
        except Exception as error:
            raise Mistake(f"botocore has no service {service}: {error}") from error
        try:
            paginators = loader.load_service_model(whole, "paginators-1")["pagination"]
        except Exception:  # a service without any paginated operation has no such file
            paginators = {}
        model = slim_model(whole, operations, description, paginators)
        if whole != service:
            model["metadata"]["signingName"] = service
        files[f"{service}.json"] = json.dumps(model, indent=1, ensure_ascii=False) + "\n"
    return files


def pinned_version():
    return re.search(r"^botocore==(\S+)$", PINS.read_text(), re.MULTILINE).group(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file differs")
    check = parser.parse_args().check

    try:
        import botocore
        import botocore.loaders
    except ImportError:
        print("botocore is not installed", file=sys.stderr)
        return 3
    if botocore.__version__ != pinned_version():
        print(f"botocore is {botocore.__version__}, pinned is {pinned_version()}", file=sys.stderr)
        return 3

    try:
        # Only what comes with the package: a file under ~/.aws/models must not leak into the product.
        files = generate(botocore.loaders.Loader(include_default_search_paths=False, extra_search_paths=[
            botocore.loaders.Loader.BUILTIN_DATA_PATH,
        ]))
    except Mistake as mistake:
        print(mistake, file=sys.stderr)
        return 1

    present = {p.name: p.read_text() for p in MODELS.glob("*.json")}
    differing = sorted(n for n in files.keys() | present.keys() if files.get(n) != present.get(n))
    if check:
        for name in differing:
            print(f"models/{name} is not what tools/generate_models.py writes", file=sys.stderr)
        return 1 if differing else 0
    MODELS.mkdir(exist_ok=True)
    for name in differing:
        if name in files:
            (MODELS / name).write_text(files[name])
        else:
            (MODELS / name).unlink()
    print(f"{len(files)} services, {len(differing)} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
