#!/usr/bin/env python
import os
import sys
from pathlib import Path

# `platform/` is a bare folder on the path, never a package: its name belongs to the standard library.
sys.path.insert(1, str(Path(__file__).resolve().parent / "platform"))

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
