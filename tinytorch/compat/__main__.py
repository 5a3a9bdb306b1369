"""The command line of :mod:`tinytorch.compat`."""

from __future__ import annotations

import argparse

from tinytorch.compat import NAMES_FILE, NAMESPACES, coverage, names_of

HEADER = """\
# Which of PyTorch's names tinytorch has

Written by `python -m tinytorch.compat`; PyTorch's names are those of version 2.13. A name counts as there when
`hasattr` finds it; how it behaves is what the tests compare. Many of the missing names are for GPUs, compilers,
distributed training, quantized or sparse tensors.

"""


def page() -> str:
    """The whole page: a table of shares, then what is missing."""
    found = coverage()
    rows = [f"| `{c.namespace}` | {len(c.present)} | {len(c.missing)} | {c.share:.0%} |\n" for c in found]
    table = "| namespace | there | missing | share |\n|---|---|---|---|\n" + "".join(rows)
    lists = [f"\n## `{c.namespace}`\n\nMissing: {_code(c.missing)}\n" for c in found if c.missing]
    return HEADER + table + "".join(lists)


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names) + "."


def update() -> None:
    """Write the list of names anew, from the installed PyTorch."""
    sections = [f"[{namespace}]\n" + "\n".join(names_of(namespace)) for namespace in NAMESPACES]
    NAMES_FILE.write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def main() -> None:
    """Parse the arguments and print."""
    parser = argparse.ArgumentParser(prog="python -m tinytorch.compat", description="PyTorch's names in tinytorch")
    parser.add_argument("--missing", metavar="NAMESPACE", help="print the names that this namespace lacks")
    parser.add_argument("--update", action="store_true", help="list PyTorch's names again (needs torch)")
    options = parser.parse_args()
    if options.update:
        update()
    elif options.missing:
        print(*[name for c in coverage() if c.namespace == options.missing for name in c.missing], sep="\n")
    else:
        print(page(), end="")


if __name__ == "__main__":
    main()
