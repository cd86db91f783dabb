package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"holobench/scenarios"
)

func newCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "new [NAME [FILE]]",
		Short: "Write a scenario to start from; without NAME, list them",
		Long: `new writes the starter NAME to FILE (NAME.yaml when none is named): a scenario that runs as it is, with comments that say what each line
does and what to change. It never writes over a file that is there. Without NAME it lists the starters.`,
		Example: `  holobench new
  holobench new chat-room
  holobench new chat-room load/staging.yaml`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
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
			_, err = fmt.Fprintf(c.OutOrStdout(), `%[1]s: %[2]s
next:
  holobench run %[1]s --profile smoke     # 5 s, to see it work
  holobench plan %[1]s                    # what it resolves to
  holobench run %[1]s --profile pr        # 60 s, with gates for a pull request
  holobench schema >%[3]s   # for an editor that knows YAML: it completes and explains keys
`, path, starter.Summary, schemaFile)
			return failed(err)
		},
	}
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
	_, err = io.WriteString(file, s.Text)
	return failed(errors.Join(err, file.Close()))
}
