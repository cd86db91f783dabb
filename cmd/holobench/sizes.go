package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"holobench/scenarios"
)

// sizeFlags make another size of a scenario file, and say what the environment gives to it.
type sizeFlags struct {
	profiles []string
	set      []string
	scale    string
	only     []string
	env      []string
}

func (s *sizeFlags) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&s.profiles, "profile", nil, "lay this profile of FILE over it; repeatable")
	c.Flags().StringArrayVar(&s.set, "set", nil, "KEY.KEY=VALUE: put a value in the place of what FILE says; repeatable")
	c.Flags().StringVar(&s.scale, "scale", "", "multiply the counts and rates of FILE, for example 5%")
	c.Flags().StringArrayVar(&s.only, "only", nil, "keep only this load of FILE, and the clients that it needs; repeatable")
	c.Flags().StringArrayVarP(&s.env, "env", "e", nil, "K=V: a value for ${env.K} in the scenario, before the environment's own; repeatable")
}

// given names the first of the flags that needs a file and was set; "" when none was.
func (s *sizeFlags) given(c *cobra.Command) string {
	for _, name := range []string{"profile", "set", "scale", "only"} {
		if c.Flags().Changed(name) {
			return name
		}
	}
	return ""
}

// sizes reads the flags.
func (s *sizeFlags) sizes() (scenarios.Sizes, error) {
	sizes := scenarios.Sizes{Profiles: s.profiles, Set: s.set, Only: s.only}
	if s.scale == "" {
		return sizes, nil
	}
	scale, err := scenarios.ParseScale(s.scale)
	if err != nil {
		return sizes, fmt.Errorf("--scale: %w", err)
	}
	sizes.Scale = scale
	return sizes, nil
}

// read reads a scenario file in the size that the flags ask for.
func (s *sizeFlags) read(path string) (*scenarios.File, error) {
	env, err := environment(s.env)
	if err != nil {
		return nil, err
	}
	sizes, err := s.sizes()
	if err != nil {
		return nil, err
	}
	return scenarios.ReadSized(path, env, sizes)
}
