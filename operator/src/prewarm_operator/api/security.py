"""Who may ask the agent, and what the agent may bring with it."""

from pydantic import Field

from prewarm_operator.api.model import ApiModel
from prewarm_operator.api.pod import SecretKeyRef


class Auth(ApiModel):
    """What users of the agent must show."""

    token_secret_ref: SecretKeyRef = Field(
        description="Where the token is that users send as `Authorization: Bearer ...`. The operator itself never "
        "reads it. Pods keep the token they started with: restart them after a change."
    )


class Security(ApiModel):
    """What the agent may bring with it."""

    allow_code: bool = Field(
        default=False,
        description="Whether code inside agent.component may run: the source of a FunctionTool, a code execution tool, "
        "the command of an MCP server over stdio. What is in the image needs no permission. Default: false.",
    )
