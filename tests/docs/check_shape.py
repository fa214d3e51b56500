"""check_shape.py SCHEMA FILE: whether a JSON file has the shape of an OpenAPI v3 schema: type, properties, required, enum, items, minimum, maxItems,
and nothing that no property names, as an API server with strict validation has it. Prints what has not, each with its place."""
import json
import sys

TYPES = {"object": dict, "array": list, "string": str, "integer": int}


def wrong(schema, value, place):
    if not isinstance(value, TYPES[schema["type"]]) or isinstance(value, bool):
        return [f"{place}: not of type {schema['type']}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{place}: {value!r} is not one of {schema['enum']}")
    if isinstance(value, int) and value < schema.get("minimum", value):
        found.append(f"{place}: less than {schema['minimum']}")
    if isinstance(value, list):
        if len(value) > schema.get("maxItems", len(value)):
            found.append(f"{place}: more than {schema['maxItems']} items")
        for index, item in enumerate(value):
            found += wrong(schema["items"], item, f"{place}/{index}")
    if isinstance(value, dict):
        found += [f"{place}: lacks {name}" for name in schema.get("required", []) if name not in value]
        for name, member in value.items():
            if name in schema["properties"]:
                found += wrong(schema["properties"][name], member, f"{place}/{name}")
            else:
                found.append(f"{place}: has {name}, which nothing names")
    return found


def main(schema, file):
    with open(schema, encoding="utf-8") as text:
        schema = json.load(text)["schema"]
    with open(file, encoding="utf-8") as text:
        found = wrong(schema, json.load(text), "")
    for line in found:
        print(line)
    sys.exit(1 if found else 0)


main(*sys.argv[1:])
