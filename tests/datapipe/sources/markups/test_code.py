"""Source files lose the licence at their head."""

from __future__ import annotations

from datapipe.sources.markups import code


def test_a_source_loses_its_licence_and_keeps_its_first_words() -> None:
    assert code.to_text("#!/bin/sh\n# Copyright 2020 Someone\n# All rights reserved.\n\necho 1\n") == "#!/bin/sh\necho 1\n"
    assert code.to_text("/*\n * Licensed under the X License\n */\nint a;\n") == "int a;\n"
    two = "// Copyright 2020 Someone\n\n/* Licensed under\n the X License */\n\n/** Adds. */\nint add();\n"
    assert code.to_text(two) == "/** Adds. */\nint add();\n"
    assert code.to_text('"""Copyright (c) 2020 X"""\nimport os\n') == "import os\n"
    assert (
        code.to_text("# -*- coding: utf-8 -*-\n# SPDX-License-Identifier: MIT\nx = 1\n") == "# -*- coding: utf-8 -*-\nx = 1\n"
    )
    assert code.to_text("# Adds two numbers.\ndef add(): ...\n") == "# Adds two numbers.\ndef add(): ...\n"
