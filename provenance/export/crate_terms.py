"""The terms of RO-Crate and its profiles that a crate refers to, and its two own files."""

METADATA = "ro-crate-metadata.json"
WORKFLOW = "workflow.json"
CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
]
CRATE = "https://w3id.org/ro/crate/1.1"
WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    WORKFLOW_CRATE: "Workflow RO-Crate",
}
PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
TYPES = {"int": "Integer", "float": "Float", "bool": "Boolean", "date": "Date"}
"""What a parameter is called by the type of its value."""


def action_status(failed: bool) -> dict[str, str]:
    """Return the reference that says whether an action came to its end."""
    kind = "Failed" if failed else "Completed"
    return {"@id": f"http://schema.org/{kind}ActionStatus"}
