"""What a model's API says in an answer that is an error, whatever status and shape it has."""

import json

# An error in a stream has no status of its own. These are OpenAI's and Anthropic's names for those that say more than
# 502 does.
_STATUS_BY_NAME = {
    "authentication_error": 401,
    "context_length_exceeded": 400,
    "insufficient_quota": 429,
    "invalid_api_key": 401,
    "invalid_request_error": 400,
    "not_found_error": 404,
    "permission_error": 403,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "timeout_error": 504,
}
_MAX_TEXT = 500


def true_status(status: int, body: bytes) -> int:
    """The status that an answer deserves: some gateways send an error with status 200."""
    if b'"error"' not in body[:100]:
        return status
    return error_status(body) or status


def error_status(body: bytes) -> int | None:
    """The status of the error that a JSON object tells of, 502 where it names none; None if it tells of no error."""
    if b'"error"' not in body:
        return None
    try:
        error = json.loads(body).get("error")
    except (ValueError, AttributeError, RecursionError):
        return None
    if not error:
        return None
    if not isinstance(error, dict):
        return 502
    for word in (error.get("code"), error.get("status"), error.get("type")):
        if (status := _status(word)) is not None:
            return status
    return 502


def _status(word: object) -> int | None:
    if isinstance(word, str) and not (len(word) == 3 and word.isdecimal()):
        return _STATUS_BY_NAME.get(word)
    number = int(word) if isinstance(word, int | str) else 0
    return number if 400 <= number < 600 else None


def error_text(body: bytes) -> str:
    """What an error's body says, whatever shape the server gave it."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return tidy(body.decode(errors="replace"))
    for _ in range(3):  # {"error": {"message": "..."}}, {"detail": "..."}, {"error": "..."}
        if not isinstance(value, dict):
            break
        value = next((value[key] for key in ("error", "message", "detail") if value.get(key)), json.dumps(value))
    return tidy(value if isinstance(value, str) else json.dumps(value))


def tidy(text: str) -> str:
    """One short line; a proxy's web page is named, not quoted."""
    if "<html" in text[:1000].lower() or "<!doctype" in text[:100].lower():
        return "it answered with a web page."
    text = " ".join(text.split())
    return (text[:_MAX_TEXT] + "…" if len(text) > _MAX_TEXT else text) or "it gave no reason."
