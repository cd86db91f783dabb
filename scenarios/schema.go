package scenarios

import _ "embed"

// The schemas are made from the forms and from the manuals by a test, which also holds them against each other: see
// schema_make_test.go. Editors complete and check a file with them while it is written; Parse knows nothing of them.
var (
	//go:embed schema.json
	schema []byte
	//go:embed schema_protocol.json
	protocolSchema []byte
)

// Schema is the JSON Schema (draft 2020-12) of a scenario file. What it refuses Parse refuses too, but for a number or a
// boolean in quotes; that the parts of a file fit each other only Parse knows.
func Schema() []byte { return schema }

// ProtocolSchema is that of a protocol file.
func ProtocolSchema() []byte { return protocolSchema }
