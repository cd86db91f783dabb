package scenarios

import (
	"strconv"
	"strings"
	"testing"
)

// The manual's table of designs says what a design sets its knobs to.
func TestManualSaysWhatADesignIs(t *testing.T) {
	t.Parallel()
	text := manual(t)
	for _, design := range designs() {
		k := ownKnobs(design)
		row := "\n| " + strings.Join([]string{design, k.Dispatch, k.Stamp, k.Echo, k.WhenFull, strconv.Itoa(k.Replay)}, " | ") + " |\n"
		if !strings.Contains(text, row) {
			t.Errorf("docs/scenarios.md has no row %s", row)
		}
	}
}

// The manual's table of metrics is that of the code.
func TestManualListsEveryMetric(t *testing.T) {
	t.Parallel()
	text := manual(t)
	for _, m := range Metrics() {
		tags := strings.Join(m.Tags, ", ")
		if tags == "" {
			tags = "-"
		}
		row := "\n| `" + m.Name + "` | " + string(m.Type) + " | " + string(m.Unit) + " | " + tags + " | " + m.Meaning + " |\n"
		if !strings.Contains(text, row) {
			t.Errorf("docs/scenarios.md has no row %s", row)
		}
	}
}

// Every whole scenario of the manual is one.
func TestManualsExamplesParse(t *testing.T) {
	t.Parallel()
	found := 0
	for i, block := range strings.Split(manual(t), "```yaml\n") {
		body, _, closed := strings.Cut(block, "\n```")
		if i == 0 || !closed || !strings.HasPrefix(body, "version:") {
			continue
		}
		found++
		if f, err := Parse("docs.yaml", []byte(body), nil); err != nil {
			t.Error(err)
		} else if warnings := f.Warnings(Machine{}); warnings != nil {
			t.Errorf("example %d: %v", found, warnings)
		}
	}
	if found < 2 {
		t.Errorf("%d examples found", found)
	}
}

// The error that the manual shows is the one that is printed.
func TestManualShowsARealError(t *testing.T) {
	t.Parallel()
	const wrong = "version: 1\nserver: {bundled: {design: hologram}}\nclients: {members: {count: 10, channel: lobby}}\nload:\n talk:\n" +
		"  ratee: 10/s\n  by: members\n  for: 2s\n"
	_, err := Parse("wrong.yaml", []byte(wrong), nil)
	if err == nil || !strings.Contains(manual(t), "  "+strings.ReplaceAll(err.Error(), "\n", "\n  ")+"\n  ```") {
		t.Errorf("docs/scenarios.md does not show\n%v", err)
	}
}
