package main

import (
	"github.com/spf13/cobra"

	"holobench/scenarios"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of scenario files, for editors",
		Long: `schema prints the JSON Schema of scenario files. An editor that knows YAML completes keys by it, explains them, and marks what is
misspelt while it is written. Keep it beside your scenarios, and name it in their first line:

  # yaml-language-server: $schema=./` + schemaFile + `

What fits together (a window within the load, a name that leads somewhere) only holobench check knows.`,
		Example: "  holobench schema >" + schemaFile,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(scenarios.Schema())
			return failed(err)
		},
	}
}

// schemaFile is where starters look for the schema.
const schemaFile = "holobench.schema.json"
