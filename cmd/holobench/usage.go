package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"holobench/scenarios"
)

// explain makes a command and those below it say what they take, when something else was typed.
func explain(c *cobra.Command) {
	c.SetFlagErrorFunc(flagError)
	takes := c.Args
	c.Args = func(c *cobra.Command, args []string) error {
		if takes == nil || takes(c, args) == nil {
			return nil
		}
		return argsError(c, args)
	}
	for _, below := range c.Commands() {
		explain(below)
	}
}

// argsError says which words a command takes.
func argsError(c *cobra.Command, args []string) error {
	if !c.HasParent() {
		return unknownCommand(c, args[0])
	}
	_, takes, _ := strings.Cut(c.Use, " ")
	given := "nothing was given"
	switch {
	case takes == "" && len(args) > 0:
		return fmt.Errorf("%s takes no word, and %s was given (%s --help)", c.Name(), strings.Join(args, " "), c.CommandPath())
	case len(args) > 0:
		given = strings.Join(args, " ") + " was given"
	}
	return fmt.Errorf("%s takes %s, and %s (%s --help)", c.Name(), takes, given, c.CommandPath())
}

// unknownCommand says which commands there are. The name of a scenario alone is most often meant to be run.
func unknownCommand(root *cobra.Command, typed string) error {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if strings.HasSuffix(typed, ".yaml") || strings.HasSuffix(typed, ".yml") {
		return fmt.Errorf("there is no command %q, did you mean: holobench run %s", typed, typed)
	}
	if slices.Contains([]string{"compare", "diff"}, typed) {
		return fmt.Errorf("there is no command %q: holobench report DIR DIR prints two runs one after the other, and with one scenario and one seed their figures "+
			"can be laid side by side (summary.json of each DIR has them for a program)", typed)
	}
	return fmt.Errorf("there is no command %q%s (the commands are %s)", typed, scenarios.Suggest(typed, names), strings.Join(names, ", "))
}

var (
	badValue  = regexp.MustCompile(`^invalid argument "(.*)" for "(?:-., )?--([a-z-]+)" flag: `)
	noValue   = regexp.MustCompile(`^flag needs an argument: (?:--([a-z-]+)|'.' in (-.))`)
	flagNames = regexp.MustCompile(`(?m)^ +(?:-., )?--([a-z-]+)`)
)

// unknownFlag is what the library says of a flag that does not exist.
type unknownFlag interface {
	error
	GetSpecifiedName() string
	GetSpecifiedShortnames() string
}

// flagError says which flags there are, or how the value of one is written.
func flagError(c *cobra.Command, err error) error {
	if found := noValue.FindStringSubmatch(err.Error()); found != nil {
		name := found[2]
		if found[1] != "" {
			name = "--" + found[1]
		}
		return fmt.Errorf("the flag %s has no value (%s --help says what it takes)", name, c.CommandPath())
	}
	if unknown, ok := errors.AsType[unknownFlag](err); ok {
		typed, meant := "-"+unknown.GetSpecifiedName(), ""
		if unknown.GetSpecifiedShortnames() == "" {
			var names []string
			for _, found := range flagNames.FindAllStringSubmatch(c.Flags().FlagUsages(), -1) {
				names = append(names, "--"+found[1])
			}
			typed = "-" + typed
			meant = scenarios.Suggest(typed, names)
		}
		return fmt.Errorf("%s has no flag %s%s (%s --help lists those that it has)", c.Name(), typed, meant, c.CommandPath())
	}
	found := badValue.FindStringSubmatch(err.Error())
	if found == nil {
		return err
	}
	return fmt.Errorf("--%s %q: %s", found[2], found[1], howToWrite(c.Flags().Lookup(found[2]).Value.Type()))
}

// howToWrite says how a value of a type of flags is written.
func howToWrite(kind string) string {
	switch {
	case kind == "duration":
		return "write a number and a unit (us, ms, s, m, h): 250ms, 10s, 1h30m"
	case slices.Contains([]string{"int", "uint64", "uint"}, kind):
		return "write a whole number: 2000"
	case kind == "bool":
		return "write true or false, or the flag alone"
	default:
		return "it takes a " + kind
	}
}
