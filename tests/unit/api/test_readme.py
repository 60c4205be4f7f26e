"""README.md: the way from an export of AutoGen Studio to an API, in the words that people type."""

import json
import os
import re
import subprocess
from pathlib import Path

import yaml

from prewarm_operator.api.agentdeployment import AgentDeployment

README = Path(__file__).parents[3] / "README.md"
BLOCK = re.compile(r"^```sh\n(kubectl apply -f - <<EOF\n.*?)^```$", re.MULTILINE | re.DOTALL)
EXPORT = {
    "provider": "autogen_agentchat.teams.RoundRobinGroupChat",
    "component_type": "team",
    "config": {"participants": [], "note": 'a $HOME: {it\'s "quoted"}\n`ls` # no comment', "max_turns": None},
}


def test_an_export_becomes_an_agent_deployment_as_it_is(tmp_path: Path) -> None:
    (block,) = BLOCK.findall(README.read_text())
    (tmp_path / "team.json").write_text(json.dumps(EXPORT, indent=2))
    kubectl = tmp_path / "kubectl"
    kubectl.write_text('#!/bin/sh\n[ "$1" != apply ] || cat > applied\n')
    kubectl.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["sh", "-ec", block], cwd=tmp_path, env=environment, check=True)
    applied = yaml.safe_load((tmp_path / "applied").read_text())
    assert AgentDeployment.model_validate(applied).spec.agent.component == EXPORT
    assert applied["spec"]["env"][0]["name"] == "OPENAI_API_KEY"
