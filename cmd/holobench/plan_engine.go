package main

import (
	"fmt"
	"io"

	"holobench/clients"
	"holobench/run"
)

// printEngines writes what will hold the streams of each group on this machine, and why it is not what was asked for.
func printEngines(w io.Writer, p *run.Plan) {
	machine := run.DescribeMachine()
	for i := range p.Groups {
		engine, why := p.EngineOf(i, machine)
		switch {
		case engine == "":
		case why != "":
			fmt.Fprintf(w, "engine of %s\t%s: %s\n", p.Groups[i].Name, engine, why)
		default:
			fmt.Fprintf(w, "engine of %s\t%s\n", p.Groups[i].Name, engine)
		}
		if engine == clients.EngineReference {
			for _, difference := range clients.ReferenceDiffers() {
				fmt.Fprintf(w, "\tdiffers: %s\n", difference)
			}
		}
	}
}
