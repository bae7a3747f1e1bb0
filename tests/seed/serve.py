"""Serves one emulated AWS account on loopback: `serve.py ACCOUNT`, where ACCOUNT is a module beside this one.

Prints one line of JSON when it is ready: its address, and the ids that the emulator chose, by our names. Ends when
its standard input closes, so that it cannot outlive whoever started it.
"""

import importlib
import json
import logging
import os
import sys

# Read by moto when it is imported.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
os.environ["MOTO_ACCOUNT_ID"] = "444455556666" if sys.argv[1] == "sandbox" else "111122223333"

# One public image; the emulator's own thousand are partly owned by the account, which AWS's are not.
os.environ["MOTO_AMIS_PATH"] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "amis.json")

from account import Account  # noqa: E402
from moto.moto_api._internal import mock_random  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

import answers  # noqa: E402
import corrections  # noqa: E402


def main() -> None:
    seed = importlib.import_module(sys.argv[1]).seed
    corrections.apply()
    answers.apply()
    # The same account always has the same ids.
    mock_random.seed(20)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    account = Account(f"http://{host}:{port}")
    seed(account)
    account.name_the_rest()
    print(json.dumps({"address": f"{host}:{port}", "facts": account.facts}), flush=True)
    sys.stdin.read()
    # The server's thread must not keep the process.
    os._exit(0)


main()
