package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holobench/clients"
	"holobench/report"
	"holobench/scenarios"
)

// watchFlags are the flags of watch.
type watchFlags struct {
	run     runFlags
	clients int
	length  time.Duration
	id      string
}

func watchCommand(code *int) *cobra.Command {
	var f watchFlags
	c := &cobra.Command{
		Use:   "watch URL|FILE",
		Short: "Only look on: subscribe, post nothing, and compare what the subscribers see",
		Long: `watch opens several streams of server-sent events at URL, or as the clients of the scenario FILE do, and posts nothing. It compares in
which order they see the same events, which come twice, how often the streams give a sign of life, and who ends them. Events are
told apart by the server's own names: --id sse takes the id of the event, --id json:PATH a part of its data, --id hash all of its data.
${client} in URL is the number of the subscriber, from 1. With a FILE the protocol file says it, as identity.foreign, and clients may log in first.

It goes on until Ctrl-C, or for as long as --for says, and leaves a history and a report as a run does. It exits 0 when it came to its
end, or to Ctrl-C, 1 when it could not, and 104 when the flags or FILE are wrong.`,
		Example: `  holobench watch https://example.org/events
  holobench watch --clients 50 --id json:message.id --for 10m https://example.org/rooms/1/stream
  holobench watch staging.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if f.length < time.Second {
				return fmt.Errorf("--for %v: it must be at least 1s", f.length)
			}
			stamps, err := stampSource(f.run.stamps, clients.KernelStamps())
			if err != nil {
				return err
			}
			file, err := f.read(c, args[0])
			if err != nil {
				return err
			}
			var seen watched
			f.run.tap = seen.observe
			*code, err = f.watch(c.Context(), func(ctx context.Context) (int, error) {
				return f.run.run(ctx, file, stamps, c.OutOrStdout(), c.ErrOrStderr())
			})
			if *code != exitOK || err != nil {
				return err
			}
			return failed(seen.print(c.OutOrStdout()))
		},
	}
	c.Flags().IntVarP(&f.clients, "clients", "u", 10, "how many subscribers")
	c.Flags().DurationVar(&f.length, "for", 24*time.Hour, "how long to look on, at least 1s, such as 10m; Ctrl-C ends it sooner")
	c.Flags().StringVar(&f.id, "id", "sse", "what the server calls an event, for a URL: sse, json:PATH or hash")
	c.Flags().StringArrayVarP(&f.run.sizes.env, "env", "e", nil, "K=V: a value for ${env.K} in FILE, before the environment's own; repeatable")
	c.Flags().StringVar(&f.run.dir, "dir", "", "directory of the history (must be new or empty); default: a new one in "+runsDir)
	c.Flags().BoolVarP(&f.run.quiet, "quiet", "q", false, "no progress")
	c.Flags().BoolVar(&f.run.noColor, "no-color", false, "no colours (also: NO_COLOR)")
	c.Flags().StringVar(&f.run.stamps, "stamps", "", "who says when a message arrived: kernel, or user = this process, late by its scheduler (default: kernel where there is one that does)")
	return c
}

// watch carries it out. Its end by Ctrl-C is the one that was meant.
func (f *watchFlags) watch(ctx context.Context, carryOut func(context.Context) (int, error)) (code int, err error) {
	if code, err = carryOut(ctx); code == report.ExitInterrupted && err == nil {
		return exitOK, nil
	}
	return code, err
}

// read makes the scenario of clients that only look on.
func (f *watchFlags) read(c *cobra.Command, what string) (*scenarios.File, error) {
	if u, err := url.Parse(what); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		return f.readURL(what, u)
	}
	if c.Flags().Changed("id") {
		return nil, errors.New("--id goes with a URL; for a FILE its protocol file says identity.foreign")
	}
	return f.readFile(c, what)
}

// readURL writes a scenario and a protocol file for one stream, so that one reader checks both.
func (f *watchFlags) readURL(what string, u *url.URL) (*scenarios.File, error) {
	foreign, err := foreignBy(f.id)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "holobench-watch-")
	if err != nil {
		return nil, failed(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is the system's to clean up what is left
	protocol := fmt.Sprintf("version: 1\nsubscribe: {request: {get: %s}}\nidentity: {foreign: %s}\n", quotedYAML(requestOf(what)), foreign)
	if err := os.WriteFile(filepath.Join(dir, "protocol.yaml"), []byte(protocol), 0o600); err != nil {
		return nil, failed(err)
	}
	text := fmt.Sprintf("version: 1\nname: watch\nserver: {url: %s, protocol: protocol.yaml}\nclients: {watchers: {count: %d, channel: stream}}\nload: {watch: %s}\ndrain: 1s\n",
		quotedYAML(u.Scheme+"://"+u.Host), f.clients, f.looking("watchers"))
	file, err := scenarios.Parse(filepath.Join(dir, "(flags)"), []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", u.Host, err)
	}
	return file, nil
}

// requestOf is the path and the query of an address as they were typed: ${client} in them is the number of the subscriber, from 1.
func requestOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	rest, _, _ = strings.Cut(rest, "#")
	if at := strings.IndexAny(rest, "/?"); at >= 0 {
		return "/" + strings.TrimPrefix(rest[at:], "/")
	}
	return "/"
}

// looking is a load that sends nothing for as long as is looked on.
func (f *watchFlags) looking(group string) string {
	return fmt.Sprintf("{by: {clients: %s, only: 1}, rate: 1/s, for: %s, flow: [{think: 1s}]}", group, f.length)
}

// quotedYAML is a text in double quotes, as YAML reads it.
func quotedYAML(text string) string { return strconv.Quote(text) }

// foreignBy says --id in the words of a protocol file.
func foreignBy(id string) (string, error) {
	path, isPath := strings.CutPrefix(id, "json:")
	switch {
	case id == "sse":
		return "sse_id", nil
	case id == "hash":
		return "data", nil
	case isPath && path != "":
		return "{json: " + quotedYAML(path) + "}", nil
	}
	return "", fmt.Errorf("--id %q: it must be sse, hash or json:PATH, such as json:message.id", id)
}

// readFile reads a scenario, and puts looking on in the place of all that it does.
func (f *watchFlags) readFile(c *cobra.Command, path string) (*scenarios.File, error) {
	whole, err := f.run.sizes.read(path)
	if err != nil {
		return nil, err
	}
	if g := whole.Server.Protocol.Generic; whole.Server.URL == nil || g == nil || g.Identity.Foreign == nil {
		return nil, fmt.Errorf("watch %s: nothing says by what events of others are told apart (write a protocol file with identity: {foreign: sse_id}, or {foreign: {json: message.id}}, or {foreign: data})", path)
	}
	group := ""
	for i := range whole.Clients {
		if whole.Clients[i].Streams {
			group = whole.Clients[i].Name
			break
		}
	}
	if group == "" {
		return nil, fmt.Errorf("watch %s: none of its clients holds a stream", path)
	}
	sizes := f.run.sizes
	sizes.set = []string{"load={watch: " + f.looking(group) + "}"}
	sizes.set = append(sizes.set, "windows={}", "faults=[]", "guarantees={}", "budgets={}", "at_end={}")
	if c.Flags().Changed("clients") {
		sizes.set = append(sizes.set, fmt.Sprintf("clients.%s.count=%d", group, f.clients))
	}
	return sizes.read(path)
}
