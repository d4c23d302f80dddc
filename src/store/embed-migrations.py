# SPDX-License-Identifier: Apache-2.0
"""Writes the migrations into a C file: embed-migrations.py OUTPUT KIND-NNN-WHAT.sql …"""
import json
import os
import sys

output, *paths = sys.argv[1:]
kinds = {}
for path in sorted(paths, key=os.path.basename):
    kind, number, _ = os.path.basename(path).split("-", 2)
    texts = kinds.setdefault(kind, [])
    if int(number) != len(texts) + 1:
        sys.exit(f"{path}: expected number {len(texts) + 1:03}")
    with open(path, encoding="utf-8") as file:
        texts.append(file.read())

with open(output, "w", encoding="utf-8") as file:
    file.write("/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by embed-migrations.py. */\n")
    file.write('#include "store/files.h"\n')
    for kind, texts in kinds.items():
        file.write(f"\nconst char *const {kind}_migrations[] = {{\n")
        for text in texts:
            for line in text.splitlines(keepends=True):
                file.write("        " + json.dumps(line, ensure_ascii=False) + "\n")
            file.write("        ,\n")
        file.write("        NULL,\n};\n")
