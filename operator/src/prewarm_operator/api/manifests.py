"""The generated files of the repository, as text."""

import yaml

from prewarm_operator.api.crd import KINDS, Kind, custom_resource_definition

NOTICE = "# Generated from operator/src/prewarm_operator/api: change it there, then run `make generate`.\n"


def manifests() -> dict[str, str]:
    """Path in the repository -> content, for every generated file."""
    files = {}
    for kind in KINDS:
        files[f"crds/{kind.name.crd_name}.yaml"] = NOTICE + _yaml(custom_resource_definition(kind))
        files[f"charts/prewarm/templates/crds/{kind.name.crd_name}.yaml"] = chart_template(kind)
    return files


def chart_template(kind: Kind) -> str:
    """The same CustomResourceDefinition, as a template that values can leave out or keep on uninstall."""
    crd = custom_resource_definition(kind)
    body = _escaped(_yaml({"spec": crd["spec"]}))
    return (
        f"{NOTICE}{{{{- if .Values.crds.enabled }}}}\n"
        f"apiVersion: {crd['apiVersion']}\n"
        f"kind: {crd['kind']}\n"
        "metadata:\n"
        f"  name: {crd['metadata']['name']}\n"
        "  labels:\n"
        '    {{- include "prewarm.labels" . | nindent 4 }}\n'
        "  {{- if .Values.crds.keep }}\n"
        "  annotations:\n"
        "    helm.sh/resource-policy: keep\n"
        "  {{- end }}\n"
        f"{body}"
        "{{- end }}\n"
    )


def _escaped(text: str) -> str:
    """Braces that Helm would take for its own."""
    return text.replace("{{", '{{ "{{" }}')


def _yaml(document: dict[str, object]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
