"""Two runs side by side: their cells, the tables and figures that these show."""
