package scenarios

import (
	"embed"
	"strings"
)

//go:embed starters/*.yaml
var starters embed.FS

// Starter is a scenario to begin with: it teaches the language by comments, and runs as it is.
type Starter struct {
	Name    string // also that of the file that it becomes, without ".yaml"
	Summary string // in one phrase
	Text    string
}

// starterNames lists them in the order in which one gets to know the language.
func starterNames() []string {
	return []string{
		"chat-room", "collaborative-editor", "live-auction", "presence-and-typing", "idle-streams", "reconnect-storm", "slow-consumers", "ci-smoke",
	}
}

// Starters lists all of them.
func Starters() []Starter {
	all := make([]Starter, 0, len(starterNames()))
	for _, name := range starterNames() {
		s, _ := FindStarter(name)
		all = append(all, s)
	}
	return all
}

// FindStarter finds a starter by its name.
func FindStarter(name string) (Starter, error) {
	text, err := starters.ReadFile("starters/" + name + ".yaml")
	if err != nil {
		return Starter{}, problem("there is no starter "+quote(name)+suggest(name, starterNames()), "the starters are "+strings.Join(starterNames(), ", "))
	}
	return Starter{Name: name, Summary: summaryOf(string(text)), Text: string(text)}, nil
}

// summaryOf is the first comment of a starter behind the line for editors: "# chat-room: people in rooms talk".
func summaryOf(text string) string {
	_, rest, _ := strings.Cut(text, "\n")
	line, _, _ := strings.Cut(rest, "\n")
	_, summary, _ := strings.Cut(line, ": ")
	return summary
}
