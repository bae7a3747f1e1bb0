#!/usr/bin/env bash
# usage: tests/sarif/validate.sh FILE.sarif [RULE_KIND]
#
# Checks a SARIF file with Microsoft's SARIF Multitool, the rules of GitHub's ingestion switched on. RULE_KIND is
# "Sarif;Ghas" unless given ("Sarif;Ghas;GHAzDO" adds those of Azure DevOps). Prints every error and warning and a
# last line with their numbers; exits 1 on any error or warning, 2 if the tool cannot be had.
#
# The multitool itself exits 0 whatever it finds, so its report is read. The npm package (96 MB, Linux x86-64, no
# .NET needed) is put into a cache folder on first use; $SARIF_MULTITOOL names an installed one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
file=$1
kind=${2:-"Sarif;Ghas"}
cache=${SARIF_MULTITOOL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sarif-multitool-5.7.0}
tool=${SARIF_MULTITOOL:-$cache/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool}
if [ ! -e "$tool" ]; then
  mkdir -p "$cache"
  npm install --silent --no-fund --no-audit --prefix "$cache" @microsoft/sarif-multitool@5.7.0 >/dev/null || exit 2
  chmod u+x "$tool"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Without "-q true" a logical location crashes the tool's console logger.
code=0
"$tool" validate "$file" --rule-kind "$kind" --config "$here/github.config.xml" -q true \
  -o "$work/report.sarif" --log ForceOverwrite >"$work/log" 2>&1 || code=$?
python3 - "$work/report.sarif" "$code" <<'P'
import json
import sys

run = json.load(open(sys.argv[1]))["runs"][0]
count = {"error": 0, "warning": 0, "note": 0}
for result in run.get("results", []):
    level = result.get("level", "warning")
    count[level] = count.get(level, 0) + 1
    if level != "note":
        places = (result.get("locations") or [{}])[0].get("logicalLocations") or [{}]
        print(level, result["ruleId"], places[0].get("fullyQualifiedName", ""), result["message"].get("arguments"))
for invocation in run.get("invocations", []):
    for notification in invocation.get("toolExecutionNotifications", []):
        if notification.get("level", "warning") == "error":
            count["error"] += 1
            print("tool", notification["message"]["text"][:200])
if sys.argv[2] != "0" and not count["error"]:
    count["error"] += 1
    print("tool exit code", sys.argv[2])
print("errors {error}, warnings {warning}, notes {note}".format(**count))
sys.exit(1 if count["error"] or count["warning"] else 0)
P
