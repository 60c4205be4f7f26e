"""Services that read what AutoGen exports and do without AutoGen."""

from typing import Any

import openai


def participants(text: str) -> None:
    """Asks for each participant of a team by itself."""
    for key in ("of-the-first", "of-the-second"):
        openai.api_key = key
        openai.OpenAI(timeout=10, max_retries=1).chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": text}]
        )


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    return [b""]
