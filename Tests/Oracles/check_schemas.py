"""Checks with the `jsonschema` package that every whole text is a value that its schema accepts.

    check_schemas.py FOLDER        reads FOLDER/schemas.jsonl, written by the test SchemaOracleTests
"""

import collections
import json
import os
import sys

import jsonschema

reasons, wrong = collections.Counter(), 0
for line in open(os.path.join(sys.argv[1], "schemas.jsonl")):
    case = json.loads(line)
    reasons[case["reason"]] += 1
    if case["reason"] != "stop":
        continue
    try:
        schema = json.loads(case["schema"])
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator(schema).validate(json.loads(case["text"]))
    except (ValueError, jsonschema.ValidationError) as error:
        wrong += 1
        print(f"seed {case['seed']}: {case['schema']}\n  {case['text']!r}\n  {error}", file=sys.stderr)
print(f"{sum(reasons.values())} schemas, ends {dict(reasons)}: {reasons['stop'] - wrong} of {reasons['stop']} whole texts validate")
sys.exit(1 if wrong or reasons["stop"] < 0.95 * sum(reasons.values()) else 0)
