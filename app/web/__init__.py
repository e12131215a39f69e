"""What all pages share: layout, static files, and the guard at the entrance."""
