"""What a manifest may say and has to hold, part by part; `pipeline.manifest` reads it."""
