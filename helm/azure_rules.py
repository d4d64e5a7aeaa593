"""The alert rules for Azure Monitor's Prometheus: azure/rules.json, an ARM template.

``python helm/render.py`` writes it; ``azure/deploy alerts`` deploys it.
"""

import json
from pathlib import Path
from typing import Any

from helm.dashboard import rules

TEMPLATE = Path(__file__).resolve().parent.parent / "azure/rules.json"
SEVERITIES = {"critical": 0, "warning": 2, "info": 3}  # Azure counts from 0, the worst, to 4
_VERSIONS = {"Microsoft.Monitor/accounts": "2025-10-03",
             "Microsoft.AlertsManagement/prometheusRuleGroups": "2023-03-01"}  # fmt: skip


def template() -> str:
    """The template: a workspace for the metrics of AKS, and the rules over them."""
    document = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "metadata": {
            "description": "The rules of monitoring/alerts.yaml over what Azure's own Prometheus "
            "scrapes in AKS, with mail to the group of alerts.json. helm/render.py writes it."
        },
        "parameters": {
            "name": _parameter("Of workspace, rules and the group that gets mail", "batcomputer"),
            "location": _parameter("Azure region", "[resourceGroup().location]"),
            "cluster": _parameter("AKS's name"),
        },
        "variables": {
            "workspace": "[resourceId('Microsoft.Monitor/accounts', parameters('name'))]",
            "mail": "[resourceId('Microsoft.Insights/actionGroups', parameters('name'))]",
        },
        "resources": [
            _resource("Microsoft.Monitor/accounts"),
            _resource("Microsoft.AlertsManagement/prometheusRuleGroups") | {
                "dependsOn": ["[variables('workspace')]"],
                "properties": {
                    "scopes": ["[variables('workspace')]"],
                    "clusterName": "[parameters('cluster')]",
                    "enabled": True,
                    "interval": "PT1M",
                    "rules": [_rule(rule) for rule in rules()],
                },
            },
        ],
        "outputs": {"workspace": {"type": "string", "value": "[variables('workspace')]"}},
    }  # fmt: skip
    return json.dumps(document, indent=2) + "\n"


def _parameter(meaning: str, default: str | None = None) -> dict[str, Any]:
    given = {} if default is None else {"defaultValue": default}
    return {"type": "string", **given, "metadata": {"description": meaning}}


def _resource(kind: str) -> dict[str, Any]:
    return {
        "type": kind,
        "apiVersion": _VERSIONS[kind],
        "name": "[parameters('name')]",
        "location": "[parameters('location')]",
    }


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    """One rule; Prometheus' 5m is PT5M in Azure."""
    waits = {"for": f"PT{rule['for'].upper()}"} if "for" in rule else {}
    return {
        "alert": rule["alert"],
        "expression": rule["expr"],
        **waits,
        "severity": SEVERITIES[rule["labels"]["severity"]],
        "labels": rule["labels"],
        "annotations": rule["annotations"],
        "enabled": True,
        "resolveConfiguration": {"autoResolved": True, "timeToResolve": "PT10M"},
        "actions": [{"actionGroupId": "[variables('mail')]"}],
    }
