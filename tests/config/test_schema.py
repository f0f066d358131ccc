from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.config.composing import compose
from reconciler.config.schema import readings, schema, schema_text
from reconciler.config.validation import validator
from reconciler.fields import FIELDS, Field, Kind

COHORT = json.loads(schema_text("cohort"))
TYPES = {Kind.TEXT: "string", Kind.DATE: "string", Kind.BOOLEAN: "boolean", Kind.TEXTS: "array"}
STRUCTURE = {"userPrincipalName", "manager", "adopt", "licenses", "groups", "roles"}


@pytest.mark.parametrize("name", ["cohort", "tenant"])
def test_a_published_schema_is_a_schema(name: str) -> None:
    """Each holds to the draft that it names."""
    published = json.loads(schema_text(name))

    Draft202012Validator.check_schema(published)

    assert published["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


def test_the_fields_of_the_schema_are_those_of_the_table() -> None:
    """A person has every field that the table has, the defaults too, and no other."""
    names = {field.name for field in FIELDS}

    assert set(COHORT["$defs"]["user"]["properties"]) == names | STRUCTURE
    assert set(COHORT["properties"]["defaults"]["properties"]) == names | {"manager"}


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: str(field.name))
def test_a_field_is_limited_as_in_the_table(field: Field) -> None:
    """Kind, length, choices and whether null clears are the same in both."""
    part = COHORT["$defs"][field.name]
    inner = part["items"] if field.kind is Kind.TEXTS else part

    assert inner.get("maxLength") == field.max_length
    assert part.get("maxItems") == field.max_items
    if field.choices:
        assert part["enum"] == [*field.choices, None]
    else:
        assert TYPES[field.kind] in part["type"]
        assert ("null" in part["type"]) is field.nullable


def parts(part: Any) -> list[dict[str, Any]]:  # noqa: ANN401 -- JSON is anything
    """Give every object of a schema that describes a value."""
    inner = [*part.get("properties", {}).values(), *part.get("$defs", {}).values()]
    inner += [part["items"]] if "items" in part else []
    return [part, *(deeper for each in inner for deeper in parts(each))]


@pytest.mark.parametrize("name", ["cohort", "tenant"])
def test_an_editor_can_explain_and_complete_everything(name: str) -> None:
    """Whatever can be written under a key is described, and no other key can be."""
    for part in parts(json.loads(schema_text(name))):
        for value in part.get("properties", {}).values():
            assert "description" in value or "$ref" in value
        if "properties" in part:
            assert part["additionalProperties"] is False
        if "pattern" in part:
            assert part["patternErrorMessage"].startswith("must ")


@pytest.mark.parametrize("name", ["cohort", "tenant"])
def test_examples_and_standard_values_are_valid(name: str) -> None:
    """What the schema offers to write holds to the schema."""
    for part in parts(schema(name)):
        for example in [
            *part.get("examples", ()),
            *([part["default"]] if "default" in part else []),
        ]:
            assert list(Draft202012Validator(part).iter_errors(example)) == []


@pytest.mark.parametrize("name", ["cohort", "tenant"])
def test_a_key_never_means_text_in_one_place_and_a_boolean_in_another(name: str) -> None:
    """Reading by key needs each key to want one thing everywhere."""
    wanted: dict[str, set[str]] = {}
    for part in parts(schema(name)):
        for key, value in part.get("properties", {}).items():
            wanted.setdefault(key, set()).add(str(value.get("type")))

    assert {key: kinds for key, kinds in wanted.items() if key in readings(name)} == {
        key: kinds for key, kinds in wanted.items() if kinds & {"boolean", "integer"}
    }
    assert all(len(wanted[key]) == 1 for key in readings(name))


def test_a_wheel_carries_the_schemas_inside_the_package(tmp_path: Path) -> None:
    """They are found beside the package in a checkout, and inside it once installed."""
    package = tmp_path / "reconciler"
    for folder, text in ((tmp_path / "schema", "beside"), (package / "schema", "inside")):
        folder.mkdir(parents=True)
        (folder / "plan.schema.json").write_text(text)
        assert schema_text("plan", package) == text


values = st.none() | st.booleans() | st.text(max_size=70) | st.lists(st.text(max_size=3))
entries = st.dictionaries(st.sampled_from([*(field.name for field in FIELDS), "other"]), values)


@given(st.lists(entries, max_size=3))
def test_accepting_at_once_never_differs_from_jsonschema(users: list[dict[str, object]]) -> None:
    """The short way for text gives the same verdict as the long one."""
    document = {"version": 1, "cohort": "c", "users": users}
    plain = Draft202012Validator(schema("cohort"))

    def places(judge: Any) -> list[tuple[list[object], str]]:  # noqa: ANN401 -- either of the two
        errors = judge.iter_errors(document)
        return sorted(((list(e.absolute_path), str(e.validator)) for e in errors), key=str)

    assert places(validator("cohort")) == places(plain)


def test_the_examples_of_the_repository_satisfy_other_validators() -> None:
    """Read by their types, the example cohorts are valid to any JSON Schema validator."""
    folder = Path(__file__).parents[2] / "cohorts"
    for file in folder.glob("*.yaml"):
        name = "tenant" if file.name == "tenant.yaml" else "cohort"
        root = compose(file.name, file.read_text(encoding="utf-8"), readings(name)).root
        assert list(Draft202012Validator(json.loads(schema_text(name))).iter_errors(root)) == []
