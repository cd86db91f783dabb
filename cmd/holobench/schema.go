package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"holobench/scenarios"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [protocol]",
		Short: "Print the JSON Schema of scenario files, for editors",
		Long: `schema prints the JSON Schema of scenario files, or that of protocol files. An editor that knows YAML completes keys by it, explains them, and marks what is
misspelt while it is written. Keep it beside your scenarios, and name it in their first line:

  # yaml-language-server: $schema=./` + schemaFile + `

What fits together (a window within the load, a name that leads somewhere) only holobench check knows.`,
		Example: "  holobench schema >" + schemaFile + "\n  holobench schema protocol >holobench.protocol.schema.json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			text := scenarios.Schema()
			if len(args) == 1 {
				if args[0] != "protocol" {
					return fmt.Errorf("there is no schema of %q (holobench schema is that of scenarios, holobench schema protocol that of protocol files)", args[0])
				}
				text = scenarios.ProtocolSchema()
			}
			_, err := c.OutOrStdout().Write(text)
			return failed(err)
		},
	}
}

// schemaFile is where starters look for the schema.
const schemaFile = "holobench.schema.json"
