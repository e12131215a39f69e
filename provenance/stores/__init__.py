"""Where named bytes can lie: a directory, or a bucket."""
