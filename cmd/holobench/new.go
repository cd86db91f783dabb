package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"holobench/scenarios"
)

func newCommand() *cobra.Command {
	var from, to string
	c := &cobra.Command{
		Use:   "new [NAME [FILE]]",
		Short: "Write a scenario to start from, or one of a recording; without NAME, list them",
		Long: `new writes the starter NAME to FILE (NAME.yaml when none is named): a scenario that runs as it is, with comments that say what each line
does and what to change. It never writes over a file that is there. Without NAME it lists the starters.

With --from it reads a HAR recording of one browser tab, as the developer tools save it, and writes what it shows: a protocol file
(the stream, the request that makes an event, the requests before them, and where each token comes from) and a scenario that uses
it. Each guess is marked by a comment "# CHECK:". Passwords, keys and cookies become variables of the environment.
Record like this: open the developer tools, load the page, send two texts of your own, wait until you see them, save all as HAR.`,
		Example: `  holobench new
  holobench new chat-room
  holobench new chat-room load/staging.yaml
  holobench new --from chat.har -o chat.yaml`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case from != "" && len(args) > 0:
				return errors.New("--from makes a scenario of a recording, and a NAME is that of a starter: leave one of them out; -o says where the scenario goes")
			case from != "":
				return newFromRecording(c, from, to)
			case to != "":
				return errors.New("-o is for --from; a starter is written to FILE: holobench new NAME FILE")
			}
			if len(args) == 0 {
				return failed(listStarters(c.OutOrStdout()))
			}
			starter, err := scenarios.FindStarter(args[0])
			if err != nil {
				return err
			}
			path := starter.Name + ".yaml"
			if len(args) == 2 {
				path = args[1]
			}
			if err := writeStarter(path, &starter); err != nil {
				return err
			}
			return failed(sayNext(c.OutOrStdout(), path, starter.Summary))
		},
	}
	c.Flags().StringVar(&from, "from", "", "a HAR recording to make a scenario of")
	c.Flags().StringVarP(&to, "output", "o", "", "with --from: where the scenario goes (default: the name of the recording, .yaml; the protocol goes beside it, .protocol.yaml)")
	return c
}

// sayNext says what a scenario that was written can be used for.
func sayNext(out io.Writer, path, summary string) error {
	fmt.Fprintf(out, "%s: %s\nnext:\n", path, summary)
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	for _, next := range [][2]string{
		{"run " + path + " --profile smoke", "5 s, to see it work"},
		{"plan " + path, "what it resolves to"},
		{"run " + path + " --profile pr", "60 s, with gates for a pull request"},
		{"schema >" + schemaFile, "for an editor that knows YAML: it completes and explains keys"},
	} {
		fmt.Fprintf(w, "  holobench %s\t# %s\n", next[0], next[1])
	}
	return w.Flush()
}

func listStarters(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range scenarios.Starters() {
		fmt.Fprintf(w, "%s\t%s\n", s.Name, s.Summary)
	}
	fmt.Fprintf(w, "\nholobench new NAME writes NAME.yaml\n")
	return w.Flush()
}

// writeStarter writes a new file; one that is there stays as it is.
func writeStarter(path string, s *scenarios.Starter) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // where the user wants it
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and stays as it is: name another file, holobench new %s FILE", path, s.Name)
	}
	if err != nil {
		return fmt.Errorf("write the starter %s: %w", s.Name, err)
	}
	_, err = io.WriteString(file, strings.ReplaceAll(s.Text, s.Name+".yaml", path)) // its comments say how to run it
	return failed(errors.Join(err, file.Close()))
}
