package main

import (
	"os"
	"strings"
	"testing"

	"holobench/scenarios"
)

// TestScenariosOfTheReadme puts every scenario that the README shows through the reader that users' files go through.
func TestScenariosOfTheReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for i, block := range strings.Split(string(text), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		if _, err := scenarios.Parse("README.md", []byte(block), nil); err != nil {
			t.Errorf("yaml block %d of README.md: %v", i+1, err)
		}
		checked++
	}
	for _, file := range []string{"../../scenarios.yaml", "../../scenarios/demo.yaml"} {
		if _, err := scenarios.Read(file, nil); err != nil {
			t.Error(err)
		}
		checked++
	}
	if checked < 3 {
		t.Errorf("only %d scenarios were found", checked)
	}
}
