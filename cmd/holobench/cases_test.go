package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"holobench/history"
	"holobench/run"
	"holobench/scenarios"
)

// The cases of a realtime team parse, and can be planned, without a word of warning; what they measure against is said.
func TestCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(library, "cases", "*.yaml"))
	if err != nil || len(files) != 5 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, path := range files {
		f, err := scenarios.Read(path, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		p, err := run.FromFile(f, history.Machine{})
		if err != nil {
			t.Error(err)
			continue
		}
		if f.Name+".yaml" != filepath.Base(path) {
			t.Errorf("%s has the name %s", path, f.Name)
		}
		checkWarnings(t, path, p.Warnings, nil)
		var out bytes.Buffer
		if err := printPlan(&out, f, &p); err != nil || !strings.Contains(out.String(), "a server of your own, http://127.0.0.1:4") || !strings.Contains(out.String(), "digest") {
			t.Errorf("%s: %v, the plan is\n%s", path, err, out.String())
		}
	}
}

// A run at a server of another machine says first what it will do there, and one at a server that is not there says that at once.
func TestOwnServer(t *testing.T) {
	t.Parallel()
	f, err := scenarios.Parse("s.yaml", []byte("version: 1\nserver: {url: https://staging.example.org}\nclients: {members: {count: 2000, channel: {pattern: \"r-${n}\", count: 20}}}\n"+
		"load: {talk: {by: members, rate: 100/s, for: 30s}}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := run.FromFile(f, history.Machine{})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Manners(); got != "will open 2,000 streams at staging.example.org and send 3,000 commands in 30s" {
		t.Errorf("the first line is %q", got)
	}
	for url, quiet := range map[string]bool{
		"http://127.0.0.1:1": true, "http://localhost:1": true, "http://app.localhost": true, "http://[::1]:8": true, "http://10.0.0.1": false,
	} {
		text := "version: 1\nserver: {url: \"" + url + "\"}\nclients: {members: {count: 2, channel: lobby}}\nload: {talk: {by: members, rate: 1/s, for: 1s}}\n"
		f, err := scenarios.Parse("s.yaml", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := run.FromFile(f, history.Machine{}); err != nil || p.Manners() == "" != quiet {
			t.Errorf("%s: the first line is %q, %v", url, p.Manners(), err)
		}
	}
}
