package main

import (
	"fmt"
	"io"

	"holobench/run"
	"holobench/scenarios"
)

// printServer writes what a plan measures against when it is a server of the user's own.
func printServer(w io.Writer, p *run.Plan) {
	s := p.Server
	from := ""
	if s.Protocol.File != "" {
		from = " of " + s.Protocol.File
	}
	fmt.Fprintf(w, "target\ta server of your own, %s, wire %s%s\n", s.URL, s.Protocol.Wire, from)
	if line := p.Manners(); line != "" {
		fmt.Fprintf(w, "\t%s\n", line)
	}
	printRequests(w, "login", s.Login)
	if g := s.Protocol.Generic; g != nil {
		printRequests(w, "setup", g.Setup)
		printRequests(w, "before", g.Subscribe.Before)
		printRequests(w, "stream", []scenarios.Request{g.Subscribe.Request})
		printRequests(w, "after", g.Subscribe.After)
		if g.Publish != nil {
			printRequests(w, "command", []scenarios.Request{g.Publish.Request})
		}
	}
	printRequests(w, "teardown", s.Teardown)
	for _, promise := range promisesOf(p) {
		fmt.Fprintf(w, "promise\t%s\n", promise)
	}
}

// printRequests writes requests without what they carry: there may be secrets in it.
func printRequests(w io.Writer, what string, all []scenarios.Request) {
	for i := range all {
		fmt.Fprintf(w, "%s\t%s %s\n", what, all[i].Method, all[i].URL.Text)
	}
}
