"""One reading out of two sources: the streams, which are of now, and Prometheus, which covers what they do not hear."""

from dataclasses import replace

from prewarm_operator.signals.reading import FRESH_SECONDS, Reading, Validity


def combined(streams: Reading, prometheus: Reading | None, now: float, *, own_query: bool = False) -> Reading:
    """The load that counts.

    Without an own query both sources speak of the same pods: streams that hear all of them stand alone, otherwise the
    greater number counts and the better validity. An own query may know of load that no pod has, and pods of load that
    no query has: the greater number counts, and while the query gives none, or some pods are not heard, the load is
    known in part at most. If no pod is heard, as with an image without a stream, the query stands alone.

    Args:
        prometheus: None where it is not configured.
        now: monotonic seconds, as the times of the readings.
        own_query: whether `prometheus` comes from a query that the AgentDeployment names.
    """
    if prometheus is None:
        return streams
    prometheus = _aged(prometheus, now)
    if streams.validity is Validity.VALID and not own_query:
        return streams
    known = [reading for reading in (streams, prometheus) if reading.validity is not Validity.INVALID]
    if not known:
        return replace(streams, problem=f"{streams.problem}, and {prometheus.source} {prometheus.problem}")
    greatest = max(known, key=lambda reading: reading.value)
    missing_pods = own_query and streams.validity is Validity.PARTIAL
    if prometheus.validity is Validity.VALID and not missing_pods:
        return replace(greatest, validity=Validity.VALID, problem="")
    blame_query = own_query and prometheus.validity is not Validity.VALID
    worst = prometheus if blame_query or streams.validity is Validity.INVALID else streams
    return replace(greatest, source=worst.source, validity=Validity.PARTIAL, problem=worst.problem)


def _aged(reading: Reading, now: float) -> Reading:
    """One whose samples are too old says nothing of now."""
    if reading.validity is Validity.INVALID or now - reading.at_seconds <= FRESH_SECONDS:
        return reading
    return replace(reading, validity=Validity.INVALID, problem=f"has no sample younger than {FRESH_SECONDS:.0f} s")
