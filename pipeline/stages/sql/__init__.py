"""An SQL stage: one query, read from a source into a Parquet file."""

from pipeline.stages.sql.reading import execute_query

__all__ = ["execute_query"]
