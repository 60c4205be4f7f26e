"""What an act stands on: the operator from its chart, and a namespace with the model server. And how to remove it."""

from __future__ import annotations

from collections.abc import Mapping

from prewarm_demo.cluster.commands import Commands

NAMESPACE = "prewarm-demo"
SYSTEM_NAMESPACE = "prewarm-system"
RELEASE = "prewarm"
MANIFESTS = "dev/demo/manifests"
IMAGES = {"image": "localhost/prewarm-operator", "agentImage": "localhost/prewarm-agent"}


async def install(commands: Commands, values: Mapping[str, str] | None = None) -> None:
    """Install Prewarm and the model server, after removing what an earlier run left of the demo.

    `values` of the chart, beside the images.
    """
    await remove_demo(commands)
    existing = await commands.helm("list", "--short", f"--filter=^{RELEASE}$", f"--namespace={SYSTEM_NAMESPACE}")
    await release(commands, values)
    if existing.strip():
        # The tag stays `dev` when the image changes, so a release that was there may still run the image of then.
        await commands.kubectl("rollout", "restart", "deployment", f"--namespace={SYSTEM_NAMESPACE}")
        await commands.kubectl("rollout", "status", "deployment", f"--namespace={SYSTEM_NAMESPACE}", "--timeout=120s")
    await commands.kubectl("create", "namespace", NAMESPACE)
    await commands.kubectl("apply", f"--filename={MANIFESTS}/model-server.yaml", f"--namespace={NAMESPACE}")
    await commands.kubectl(
        *("rollout", "status", "deployment/model-server", f"--namespace={NAMESPACE}", "--timeout=120s")
    )


async def release(commands: Commands, values: Mapping[str, str] | None = None) -> None:
    """Install the chart, or change the release that is there; values of before do not stay."""
    images = {f"{key}.repository": image for key, image in IMAGES.items()} | {f"{key}.tag": "dev" for key in IMAGES}
    settings = [f"--set={name}={value}" for name, value in {**images, **(values or {})}.items()]
    await commands.helm(
        *("upgrade", "--install", RELEASE, "charts/prewarm", f"--namespace={SYSTEM_NAMESPACE}", "--create-namespace"),
        *(*settings, "--wait", "--timeout=120s"),
    )


async def remove_demo(commands: Commands, *, wait: bool = True) -> None:
    """Remove the namespace of the demo with everything in it."""
    waiting = f"--wait={str(wait).lower()}"
    await commands.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", waiting, "--timeout=180s")


async def remove_all(commands: Commands) -> None:
    """Remove the demo and Prewarm itself, the CustomResourceDefinitions included."""
    await remove_demo(commands)
    await commands.helm("uninstall", RELEASE, f"--namespace={SYSTEM_NAMESPACE}", "--ignore-not-found", "--wait")
    await commands.kubectl("delete", "namespace", SYSTEM_NAMESPACE, "--ignore-not-found", "--timeout=180s")
    await commands.kubectl("delete", "crd", "agentdeployments.prewarm.dev", "--ignore-not-found")
