// Package tidy holds the house rules as tests: floors, sizes, banned calls, comments, doors, documents.
//
// A rule is a function from the parsed module to findings, one rule a file, and reads no files of its own, so that each
// is tested against a module of a few lines that breaks it. What may import what is not written here: the tables of
// ARCHITECTURE.md are the data, so that the document cannot say anything else than what the code obeys.
package tidy

import "fmt"

// finding is one place that breaks a rule.
type finding struct {
	file   string // slash-separated path from the root of the module
	line   int    // from 1; 0 = the file as a whole
	what   string // what is wrong
	remedy string // what to do about it, in the imperative
}

// String prints "file:line: what" and the remedy on a line of its own, so that editors jump to it.
func (f finding) String() string {
	return fmt.Sprintf("%s:%d: %s\n\tremedy: %s", f.file, f.line, f.what, f.remedy)
}

// rule is one house rule.
type rule struct {
	name  string
	check func(*module) []finding
}

// rules lists all house rules in the order in which they are reported.
func rules() []rule {
	return []rule{
		{"tables", tables},
		{"floors", floors},
		{"doors", doors},
		{"sizes", sizes},
		{"calls", calls},
		{"globals", globals},
		{"names", names},
		{"packages", packages},
		{"docs", docs},
		{"traces", traces},
		{"links", links},
		{"targets", targets},
		{"glossary", glossary},
		{"adrs", adrs},
		{"changelog", changelog},
	}
}
