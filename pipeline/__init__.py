"""Middle floor: what runs. Manifest, plan, stages, templates, kernels, rendering."""
