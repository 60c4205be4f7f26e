"""The generated files of the repository, as text."""

from string import Template
from typing import Any

import yaml

from prewarm_operator.api import reference
from prewarm_operator.api.crd import KINDS, Kind, custom_resource_definition

GENERATED = "Generated from operator/src/prewarm_operator/api: change it there, then run `make generate`."
NOTICE = f"# {GENERATED}\n"

CHART_TEMPLATE = Template("""\
{{- if .Values.crds.enabled }}
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: $name
  labels:
    {{- include "prewarm.labels" . | nindent 4 }}
  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
$spec
{{- end }}
""")


def manifests() -> dict[str, str]:
    """Path in the repository -> content, for every generated file."""
    files = {}
    for kind in KINDS:
        files[f"crds/{kind.name.crd_name}.yaml"] = NOTICE + _yaml(custom_resource_definition(kind))
        files[f"charts/prewarm/templates/crds/{kind.name.crd_name}.yaml"] = NOTICE + chart_template(kind)
        files[f"docs/reference/{kind.name.singular}.md"] = f"<!-- {GENERATED} -->\n\n" + reference.page(kind)
    return files


def chart_template(kind: Kind) -> str:
    """The same CustomResourceDefinition, as a template that values can leave out or keep on uninstall."""
    spec = _yaml({"spec": custom_resource_definition(kind)["spec"]}).rstrip()
    # Braces in a description are text, not a template's.
    return CHART_TEMPLATE.substitute(name=kind.name.crd_name, spec=spec.replace("{{", '{{ "{{" }}'))


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
