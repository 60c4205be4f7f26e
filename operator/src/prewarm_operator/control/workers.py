"""Takes keys from the queue and reconciles them; whatever happens to one key, the next ones get their turn."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from prewarm_operator import metrics
from prewarm_operator.control.queue import WorkQueue
from prewarm_operator.kube.errors import KubeError, Refused
from prewarm_operator.settings import RECONCILE_TIMEOUT_SECONDS
from prewarm_operator.world.cache import Key

logger = logging.getLogger(__name__)

Reconcile = Callable[[Key], Awaitable[float | None]]


async def work(queue: WorkQueue, reconcile: Reconcile) -> None:
    """One worker; runs until cancelled."""
    while True:
        key = await queue.get()
        try:
            with metrics.RECONCILE_SECONDS.time():
                await _turn(queue, reconcile, key)
        finally:
            queue.done(key)


async def _turn(queue: WorkQueue, reconcile: Reconcile, key: Key) -> None:
    try:
        async with asyncio.timeout(RECONCILE_TIMEOUT_SECONDS):
            again_after = await reconcile(key)
    except (KubeError, TimeoutError) as error:
        asked_for = error.retry_after_seconds if isinstance(error, Refused) else None
        delay = queue.add_failed(key, asked_for or 0.0)
        metrics.RECONCILES.labels("retry").inc()
        logger.warning("reconcile failed agent=%s retry_seconds=%.1f error=%s", key, delay, error or "timed out")
    except Exception:
        queue.add_failed(key)
        metrics.RECONCILES.labels("crashed").inc()
        logger.exception("reconcile crashed agent=%s", key)
    else:
        queue.forget_failures(key)
        metrics.RECONCILES.labels("done").inc()
        if again_after is not None:
            queue.add_after(key, again_after)
