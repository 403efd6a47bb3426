"""The questions on the flights, and their answers as tables, charts and a report."""
