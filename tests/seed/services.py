"""Services that the emulator lacks altogether, so that what it says of them can be set in `answers`.

Only what the dispatcher of the emulator asks for is here: a backend without any state, and the paths of operations.
"""

import re
import sys
import types

from moto import backend_index
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.responses import BaseResponse


def service(name: str, *paths: str) -> type[BaseResponse]:
    """The class that answers for the service `name`; the emulator finds it by the module names that it expects."""
    response = type(f"{name.title()}Response", (BaseResponse,), {"__init__": lambda self: BaseResponse.__init__(self, service_name=name)})
    backend = type(f"{name.title()}Backend", (BaseBackend,), {"__module__": f"moto.{name}.models"})
    base = rf"https?://{name}\.(.+)\.amazonaws\.com"
    urls = {f"{{0}}{path}$": response.dispatch for path in paths}
    backends = {f"{name}_backends": BackendDict(backend, "ec2")}
    _module(f"moto.{name}", is_package=True, **backends)
    _module(f"moto.{name}.responses")
    _module(f"moto.{name}.urls", url_bases=[base], url_paths=urls)
    _module(f"moto.{name}.models", **backends)
    backend_index.backend_url_patterns.append((name, re.compile(base)))
    return response


def _module(name: str, is_package: bool = False, **members) -> None:
    module = types.ModuleType(name)
    if is_package:
        module.__path__ = []
    for member, value in members.items():
        setattr(module, member, value)
    sys.modules[name] = module


OamResponse = service("oam", "/ListLinks")
SchemasResponse = service("schemas", "/v1/registries", "/v1/policy")
