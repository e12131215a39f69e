"""What makes two results the same: canonical values, code closures, environments, keys."""
