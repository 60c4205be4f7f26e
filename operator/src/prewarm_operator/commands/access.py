"""The cluster as the commands of people reach it: options, reading, and errors in one sentence."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from prewarm_operator.kube.client import Client, connect_as_person
from prewarm_operator.kube.errors import KubeError, NotFound, Refused, Unreachable
from prewarm_operator.kube.resources import AGENT_DEPLOYMENTS
from prewarm_operator.render.agent import Agent, parse

FAILED = 1


class CommandFailed(Exception):
    """The command cannot do what it was asked for. The message is for people: one sentence with the remedy."""


@dataclass(frozen=True)
class Cluster:
    """AgentDeployments of one cluster, in one namespace unless a call says otherwise."""

    client: Client
    namespace: str

    async def read(self, name: str) -> Agent:
        """One AgentDeployment.

        Raises:
            CommandFailed: there is none of this name, or this version cannot read it.
            KubeError: as the client raises it.
        """
        try:
            body = await self.client.request("GET", AGENT_DEPLOYMENTS.path(self.namespace, name))
        except NotFound:
            there = sorted(agent.name for agent in await self.read_all(self.namespace))
            found = f"there are: {', '.join(there)}" if there else "there is none in this namespace, try -n NAMESPACE"
            raise CommandFailed(f"no AgentDeployment {name} in namespace {self.namespace}; {found}.") from None
        return _parsed(body)

    async def read_all(self, namespace: str | None) -> Sequence[Agent]:
        """All of a namespace, or of the whole cluster. Those that this version cannot read are named on stderr.

        Raises:
            CommandFailed: the cluster does not know the kind.
            KubeError: as the client raises it.
        """
        try:
            found = await self.client.request("GET", AGENT_DEPLOYMENTS.path(namespace))
        except NotFound:
            raise CommandFailed(
                "this cluster does not know AgentDeployments: install Prewarm, or choose another with --context."
            ) from None
        agents = []
        for body in found["items"]:
            try:
                agents.append(_parsed(body))
            except CommandFailed as unreadable:
                sys.stderr.write(f"{unreadable}\n")
        return agents


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options by which kubectl, too, finds a cluster."""
    parser.add_argument("-n", "--namespace", help="namespace; that of the context if none is named")
    parser.add_argument("--context", help="context of the kubeconfig; the current one if none is named")
    parser.add_argument("--kubeconfig", metavar="FILE", help="kubeconfig; found as kubectl finds it if none is named")


def run(options: argparse.Namespace, command: str, work: Callable[[Cluster], Awaitable[int]]) -> int:
    """Connect and do the work of a command. What goes wrong becomes a sentence on stderr and exit code 1."""

    async def connected() -> int:
        async with connect_as_person(f"prewarm {command}", options.kubeconfig, options.context) as (client, namespace):
            return await work(Cluster(client, options.namespace or namespace))

    try:
        return asyncio.run(connected())
    except (CommandFailed, KubeError) as error:
        sys.stderr.write(f"prewarm {command}: {_sentence(error)}\n")
        return FAILED
    except KeyboardInterrupt:
        return 130


def _parsed(body: dict[str, Any]) -> Agent:
    try:
        return parse(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise CommandFailed(
            f"AgentDeployment {body['metadata']['name']} was stored under another version, which this command cannot "
            f"read ({field}: {first['msg']}): use the command of the installed version."
        ) from None


def _sentence(error: CommandFailed | KubeError) -> str:
    match error:
        case Unreachable():
            return f"the cluster does not answer ({error}): check --context and --kubeconfig with kubectl cluster-info."
        case Refused(code=401):
            return "the cluster does not know you (401): log in anew, or choose another --context."
        case Refused(code=403):
            return f"you lack the right to do this; ask for the role view, or edit to change something: {error.message}"
    return str(error)
