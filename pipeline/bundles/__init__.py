"""A run to take along, as one ZIP file that can be checked where there is no archive."""
