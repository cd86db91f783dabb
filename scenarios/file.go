// Package scenarios reads and checks the YAML files that say what a run does, and the budgets that judge it.
//
// A scenario keeps who is there (clients) apart from what they do (load), so that a sender can itself be subscribed:
//
//	version: 1
//	clients:
//	  members: {count: 100, channel: {pattern: "room-${n}", count: 5}}
//	load:
//	  talk: {by: {clients: members, only: 10}, rate: 50/s, for: 10s, send: message, payload: 200B}
//	windows: {steady: 2s..10s}
//	budgets:
//	  fanout_latency{window:steady}: ["p(99)<250ms"]
//
// Parse turns the text into a File, in which every default is filled in and every reference is known to lead somewhere.
// It is strict: an unknown key, a number without its unit, a window past the end of the load are errors, each with its
// place, the line, and how to mend it, all of one file together. docs/scenarios.md explains every key.
//
// The way of a file: yaml.go (the library, behind one door) makes nodes; decode.go fills the forms of form.go with them,
// each value read by its type in units.go; a resolver checks the forms against each other and writes the File.
//
// Budgets (ParseBudget, Metrics) need no YAML: a report reads them back from the two strings that a history keeps.
package scenarios

import (
	"path/filepath"
	"strings"
	"time"
)

// File is a whole scenario with every default filled in. All of it is plain data, in the order of the file; nothing in it
// refers to YAML.
type File struct {
	Path       string   // as it was opened, for messages
	Text       string   // as it was written, for run.json: "${env.X}" stands for itself, a header value in clear as "***"
	LeftOut    []string // what --only leaves out, for warnings
	Resized    []string // how it was made another size, as flags; none = it is as it was written
	Profiles   []string // the names of those in the file
	Name       string   // letters, digits, "-", "_"; the name of the file without its extension unless it gives one
	Seed       uint64   // 1 unless it gives one
	Server     Server
	Clients    []Clients // at least one, unless all loads are floods
	Load       []Load    // at least one
	Windows    []Window  // those of the file, then two of each fault
	Faults     []Fault
	Drain      time.Duration // the longest wait for missing deliveries after the load; 10 s unless it gives one
	PairWindow time.Duration // how far apart two events may be due and still be compared; 1 s unless it gives one
	Guarantees []Guarantee
	Budgets    []Budget
	AtEnd      AtEnd
	Values     []Value
	Feeds      []Feed
}

// Window is a named interval, relative to the barrier. It holds what was due in [From, To), and ends with the load at the
// latest.
type Window struct {
	Name     string
	From, To time.Duration
	Fault    string // that makes it; "" = it stands in the file
}

// defaultDrain is long enough for a server that has fallen behind to catch up.
const defaultDrain = 10 * time.Second

// Read reads and parses the scenario file at path. An error is either that of the file system, or an Errors.
func Read(path string, env func(name string) (value string, ok bool)) (*File, error) {
	return ReadSized(path, env, Sizes{})
}

// Parse reads a scenario. File is its path, for messages and for the default of its name. Env looks up environment
// variables; nil stands for an empty environment. The error is an Errors with everything that is wrong.
func Parse(file string, text []byte, env func(name string) (value string, ok bool)) (*File, error) {
	return ParseSized(file, text, env, Sizes{})
}

// End is when the last load is over, after the barrier.
func (f *File) End() time.Duration {
	var end time.Duration
	for i := range f.Load {
		end = max(end, f.Load[i].End())
	}
	return end
}

// Secrets lists what must reach no artefact, log or error of a run: the values of all headers, each also without its
// scheme ("Bearer"), and what the environment gave to them. Nothing is listed twice.
func (f *File) Secrets() []string { return f.Server.secrets() }

// defaultName makes a name of the name of a file: what no name can hold becomes "-".
func defaultName(path string) string {
	base := filepath.Base(path)
	base = strings.TrimSuffix(base, filepath.Ext(base))
	name := strings.Map(func(r rune) rune {
		if isLetter(r) || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, base)
	if len(name) > maxName {
		name = name[:maxName]
	}
	if strings.Trim(name, "-_") == "" {
		return "scenario"
	}
	return name
}
