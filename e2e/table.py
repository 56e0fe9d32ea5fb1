"""A table of the steps and results."""


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, seen, seconds=None):
        self.rows.append((what, seen, "" if seconds is None else f"{seconds:.1f} s"))
        print(f"  {what}: {seen}", flush=True)

    def __str__(self):
        rows = [("deployed or sent", "seen", "after"), *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
