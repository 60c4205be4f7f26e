"""`helm test`, as the notes of the chart recommend it."""

from cluster.operator_release import NAMESPACE, RELEASE, OperatorRelease


def test_helm_test_tells_that_the_operator_is_ready(operator: OperatorRelease) -> None:
    told = operator.kube.helm("test", RELEASE, f"--namespace={NAMESPACE}", "--logs", "--timeout=120s")
    assert "Phase:          Succeeded" in told
