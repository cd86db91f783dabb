package main

import (
	"errors"
	"strings"

	"holobench/scenarios"
)

// inFlags says an error of the scenario that the quick-run flags make in terms of the flags: nobody wrote that file.
func inFlags(err error) error {
	all, ok := errors.AsType[scenarios.Errors](err)
	if !ok {
		return err
	}
	var texts []string
	for _, e := range all {
		message := e.Message
		for _, flag := range []struct{ key, name string }{
			{"clients.members.channel.count", "channels"},
			{"clients.members.count", "clients"},
			{"load.talk.by.only", "senders"},
			{"load.talk.rate", "rate"},
			{"load.talk.for", "duration"},
			{"server.bundled.design", "design"},
			{"load", "rate"},
			{"clients", "clients"},
		} {
			if rest, found := strings.CutPrefix(message, flag.key+": "); found {
				message = "--" + flag.name + ": " + rest
				break
			}
		}
		if e.Remedy != "" {
			message += " (" + strings.ReplaceAll(e.Remedy, "the count of members", "the number of --clients") + ")"
		}
		texts = append(texts, message)
	}
	return errors.New(strings.Join(texts, "\nholobench: "))
}
