package scenarios

import _ "embed"

// The schema is made from the forms and from docs/scenarios.md by a test, which also holds it against them: see
// schema_make_test.go. Editors complete and check a scenario with it while it is written; Parse knows nothing of it.
//
//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of a scenario file. What it refuses Parse refuses too, but for a number or a
// boolean in quotes; that the parts of a file fit each other only Parse knows.
func Schema() []byte { return schema }
